"""What is not public of other packages and used nevertheless, and why: all of it is here.

`SEEN` says with which versions it works: the lowest one of each range of pyproject.toml, and the one of uv.lock. With another one
tests/unit/test_private.py is red until somebody has looked.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

SEEN = {
    "psycopg": ("3.2.9", "3.3.9"),
    "py4j": ("0.10.9.9",),
    "pyspark": ("4.2.0",),
    "apache-airflow-providers-apache-spark": ("5.5.0", "6.3.4"),
}


def row_formatter() -> Callable[[Any, Any, bytearray], object] | None:
    """What psycopg's ``Copy.write_row`` calls for each row, by way of two Python calls that take two thirds of its time.

    Without it rows are copied by ``write_row``, more slowly.
    """
    with suppress(ImportError, AttributeError):
        from psycopg import _copy_base

        found: Callable[[Any, Any, bytearray], object] = _copy_base.format_row_binary
        return found
    return None


def forget_numpy() -> None:
    """Take out py4j's list of converters those of pyspark for NumPy, of which no value goes to Java here.

    They look at each argument of each call to Java, and for that import pyspark's tools for tests, and with them pandas and
    Arrow: half a second before Spark begins to start (pyspark/sql/types.py). Where there is no such list any more, Spark starts
    as fast as it does.
    """
    with suppress(ImportError):
        from py4j.protocol import INPUT_CONVERTER

        INPUT_CONVERTER[:] = [converter for converter in INPUT_CONVERTER if not type(converter).__name__.startswith("Numpy")]


def hadoop(spark: Any, path: str) -> tuple[Any, Any]:
    """Hadoop's file system of a path, and the path as it knows it: pyspark has no way of its own to files of any file system.

    Args:
        spark: A ``SparkSession``.
        path: With or without a scheme.

    Raises:
        AttributeError: The session has no such parts any more.
    """
    place = spark.sparkContext._jvm.org.apache.hadoop.fs.Path(path)
    return place.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf()), place


def offsets_in(note: str) -> dict[int, int]:
    """Offset of each partition, out of a file of offsets in one of Spark's checkpoints.

    ``OffsetSeqLog`` writes a line with its version, one of settings, and one of each source.

    Raises:
        ValueError: It has another form.
    """
    version, _, source = note.splitlines()
    if version != "v1":
        raise ValueError(f"its version is {version}")
    (partitions,) = json.loads(source).values()
    return {int(partition): int(offset) for partition, offset in partitions.items()}


def submit_in(operator: Any, environment: Mapping[str, str]) -> None:
    """Have a ``SparkSubmitOperator`` start ``spark-submit`` in this environment alone, and not in that of its task.

    Its hook hands what it doesn't know to `subprocess.Popen`. An operator that has its hook from elsewhere would start an
    application without its settings, which ends at once.

    Raises:
        AttributeError: It has no such hook any more.
    """
    hook = operator._get_hook()
    hook.submit = partial(hook.submit, env=environment)
    operator._hook = hook
