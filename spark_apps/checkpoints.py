"""Checkpoints: a folder a load, on any file system that Spark knows."""

import json
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from batchstream.contract import Contract
from batchstream.errors import SparkError
from batchstream.postgres.opening import KEPT_LOADS


def checkpoint_folder(root: str, contract: Contract, load_id: int) -> str:
    """Where Spark keeps its place in one load; a new load never meets the offsets of an old one."""
    return f"{root}/{contract.name}/{load_id}"


def noted_offsets(spark: SparkSession, folder: str, epoch: int) -> dict[int, int]:
    """Offset of each partition at which a micro-batch ends, as Spark notes it before the micro-batch begins.

    Args:
        spark: The session.
        folder: The load's checkpoint.
        epoch: Number of the micro-batch.

    Raises:
        SparkError: The note is gone, or in another form than Spark's ``OffsetSeqLog`` has: a line with its version, ``v1``, one
            of settings, and one of each source.
    """
    path = f"{folder}/offsets/{epoch}"
    try:
        file_system, place = _hadoop(spark, path)
        note = file_system.open(place)
        try:
            version, _, source = bytes(note.readAllBytes()).decode().splitlines()
        finally:
            note.close()
        if version != "v1":
            raise ValueError(f"its version is {version}")
        (partitions,) = json.loads(source).values()
        return {int(partition): int(offset) for partition, offset in partitions.items()}
    except (Py4JJavaError, ValueError, AttributeError) as error:
        why = str(error).partition("\n")[0]
        raise SparkError(
            f"checkpoint {path}: no note of one source's offsets: {why}; start a new run, with the Spark of uv.lock"
        ) from error


def remove_old_checkpoints(spark: SparkSession, root: str, contract: Contract, load_id: int) -> None:
    """Remove the checkpoints of all but the newest `KEPT_LOADS` loads of a dataset, through Hadoop's file systems."""
    file_system, folder = _hadoop(spark, f"{root}/{contract.name}")
    loads = sorted(
        (int(status.getPath().getName()) for status in file_system.listStatus(folder) if status.getPath().getName().isdigit()),
        reverse=True,
    )
    for old in [number for number in loads if number <= load_id][KEPT_LOADS:]:
        file_system.delete(_hadoop(spark, f"{folder}/{old}")[1], True)


def _hadoop(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """Hadoop's file system of a path, and the path as it knows it."""
    place = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)  # type: ignore[union-attr]
    return place.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()), place
