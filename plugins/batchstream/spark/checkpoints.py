"""Checkpoints: a folder a load, on any file system that Spark knows."""

import json
import logging
from datetime import datetime
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from batchstream.errors import SparkError
from batchstream.postgres.housekeeping import KEPT_LOADS

log = logging.getLogger(__name__)


def checkpoint_folder(root: str, dataset: str, load_id: int, opened_at: datetime) -> str:
    """Where Spark keeps its place in one load; a new load never meets the offsets of an old one.

    The time is in its name, as a database that was made anew, or restored, counts its loads from a number that was there before.
    """
    return f"{root}/{dataset}/{load_id}-{opened_at:%Y%m%dT%H%M%S%f}"


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


def remove_old_checkpoints(spark: SparkSession, root: str, dataset: str, load_id: int) -> None:
    """Remove the checkpoints of all but the newest `KEPT_LOADS` loads of a dataset, through Hadoop's file systems.

    A load has landed whatever becomes of this: what hinders it is logged.
    """
    try:
        file_system, folder = _hadoop(spark, f"{root}/{dataset}")
        names = [str(status.getPath().getName()) for status in file_system.listStatus(folder)]
        loads = sorted(((int(number), name) for name in names if (number := name.partition("-")[0]).isdigit()), reverse=True)
        for _, old in [found for found in loads if found[0] <= load_id][KEPT_LOADS:]:
            file_system.delete(_hadoop(spark, f"{folder}/{old}")[1], True)
    except Py4JJavaError as error:
        log.warning("old checkpoints below %s/%s are not removed: %s", root, dataset, str(error).partition("\n")[0])


def _hadoop(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """Hadoop's file system of a path, and the path as it knows it."""
    place = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)  # type: ignore[union-attr]
    return place.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()), place
