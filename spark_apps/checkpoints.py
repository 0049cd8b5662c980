"""Checkpoints: a folder a load, on any file system that Spark knows."""

from pyspark.sql import SparkSession

from batchstream.contract import Contract
from batchstream.postgres.opening import KEPT_LOADS


def checkpoint_folder(root: str, contract: Contract, load_id: int) -> str:
    """Where Spark keeps its place in one load; a new load never meets the offsets of an old one."""
    return f"{root}/{contract.name}/{load_id}"


def remove_old_checkpoints(spark: SparkSession, root: str, contract: Contract, load_id: int) -> None:
    """Remove the checkpoints of all but the newest `KEPT_LOADS` loads of a dataset, through Hadoop's file systems."""
    jvm = spark._jvm
    if jvm is None:
        return
    folder = jvm.org.apache.hadoop.fs.Path(f"{root}/{contract.name}")
    file_system = folder.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    loads = sorted(
        (int(status.getPath().getName()) for status in file_system.listStatus(folder) if status.getPath().getName().isdigit()),
        reverse=True,
    )
    for old in [number for number in loads if number <= load_id][KEPT_LOADS:]:
        file_system.delete(jvm.org.apache.hadoop.fs.Path(folder, str(old)), True)
