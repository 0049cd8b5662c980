"""Starts the Python workers of a large load while Spark starts its query, so that its tasks find them ready."""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def start_workers(spark: "SparkSession") -> None:
    """Start as many as tasks run at a time; returns at once.

    Whatever hinders it will hinder the tasks of the load, too, and is told there.
    """
    context = spark.sparkContext

    def run() -> None:
        with suppress(Exception):
            context.parallelize(range(context.defaultParallelism), context.defaultParallelism).foreach(_nothing)

    threading.Thread(target=run, name="start-workers", daemon=True).start()


def _nothing(_: int) -> None:
    pass
