"""The stream of a load: Spark says which offsets a micro-batch has; `batchstream.spark.fetch` reads their messages."""

import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from batchstream.kafka.consumer_group import GROUP_ID_PREFIX
from batchstream.kafka.java_settings import java_settings

MAX_MESSAGES_PER_TRIGGER = 200_000
"""Twenty million records a micro-batch: progress is noted now and then, and a replay reads no more than that again."""

TIMEOUTS = {
    # Spark asks for offsets three times. By its client's default of a minute a broker that is gone would be told after four.
    "kafka.default.api.timeout.ms": 15_000,
    "kafka.request.timeout.ms": 10_000,
}


def read_topic(
    spark: SparkSession, settings: Mapping[str, Any], topic: str, start_offsets: Mapping[str, int], tasks: int = 1
) -> DataFrame:
    """A topic from the offsets where a load began.

    Args:
        spark: The session.
        settings: The Airflow connection's.
        topic: Its name.
        start_offsets: First offset of each partition.
        tasks: How many read it at a time, at least, if it has fewer partitions.
    """
    # Spark cuts a partition for as many tasks, but plans a little longer for it.
    cut = {"minPartitions": tasks} if tasks > 1 else {}
    return (
        spark.readStream.format("kafka")
        .options(**{f"kafka.{name}": value for name, value in java_settings(settings).items()})
        .options(**TIMEOUTS)
        .option("subscribe", topic)
        .option("startingOffsets", json.dumps({topic: start_offsets}))
        # Offsets that are gone are lost records: the run must be red, never green without them.
        .option("failOnDataLoss", True)
        .option("groupIdPrefix", GROUP_ID_PREFIX)
        .option("maxOffsetsPerTrigger", MAX_MESSAGES_PER_TRIGGER)
        .options(**cut)
        .load()
    )
