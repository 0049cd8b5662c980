"""Checkpoints: a folder a load, on any file system that Spark knows."""

import logging
from datetime import datetime

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

from batchstream.errors import SparkError
from batchstream.postgres.housekeeping import KEPT_LOADS
from batchstream.private import hadoop, offsets_in

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
        SparkError: The note is gone, or in another form than it has in the Spark that this was made for.
    """
    path = f"{folder}/offsets/{epoch}"
    try:
        file_system, place = hadoop(spark, path)
        note = file_system.open(place)
        try:
            return offsets_in(bytes(note.readAllBytes()).decode())
        finally:
            note.close()
    except (Py4JJavaError, ValueError, AttributeError) as error:
        why = str(error).partition("\n")[0]
        raise SparkError(
            f"checkpoint {path}: no note of one source's offsets: {why}; start a new run, with the Spark of uv.lock"
        ) from error


def remove_old_checkpoints(spark: SparkSession, root: str, dataset: str, load_id: int) -> None:
    """Remove the checkpoints of all but the newest `KEPT_LOADS` loads of a dataset, through Hadoop's file systems.

    A load has landed whatever becomes of this: what hinders it is logged.
    """
    place = f"{root}/{dataset}"
    try:
        file_system, folder = hadoop(spark, place)
        names = [str(status.getPath().getName()) for status in file_system.listStatus(folder)]
    except Py4JError as error:
        _tell(place, error)
        return
    loads = sorted(((load, name) for name in names if (load := _load_of(name)) is not None), reverse=True)
    for _, old in [found for found in loads if found[0] <= load_id][KEPT_LOADS:]:
        try:
            if not file_system.delete(hadoop(spark, f"{folder}/{old}")[1], True):
                _tell(f"{place}/{old}", "the file system refuses it")
        except Py4JError as error:
            _tell(f"{place}/{old}", error)


def _load_of(name: str) -> int | None:
    """Whose checkpoint a folder is; somebody else's folders may have any names."""
    number = name.partition("-")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def _tell(place: str, why: object) -> None:
    log.warning("old checkpoints in %s are not removed: %s", place, str(why).partition("\n")[0])
