"""The only place that reads from Kafka."""

import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from batchstream.consumer_group import GROUP_ID_PREFIX
from spark_apps.kafka_settings import java_settings

MAX_MESSAGES_PER_TRIGGER = 50_000
"""Five million records a micro-batch: progress is committed now and then, and a replay repeats no more than that."""

FETCH_SETTINGS = {
    # The client's default of 500 is a flat half second in each small run that reads up to the end of the topic.
    "fetch.max.wait.ms": 10,
    # As the system sees fit: the client's 64 KiB are filled and emptied so often that it costs the broker time.
    "receive.buffer.bytes": -1,
}


def read_messages(
    spark: SparkSession,
    settings: Mapping[str, Any],
    topic: str,
    start_offsets: Mapping[str, int],
    *,
    min_partitions: int,
) -> DataFrame:
    """Messages of a topic from the offsets where a load began, as Kafka has them.

    Args:
        spark: The session.
        settings: The Airflow connection's.
        topic: Its name.
        start_offsets: First offset of each partition.
        min_partitions: Tasks to split a micro-batch into, when the topic has fewer partitions than there are cores.
    """
    return (
        spark.readStream.format("kafka")
        .options(**{f"kafka.{name}": value for name, value in (java_settings(settings) | FETCH_SETTINGS).items()})
        .option("subscribe", topic)
        .option("startingOffsets", json.dumps({topic: start_offsets}))
        # Offsets that are gone are lost records: the run must be red, never green without them.
        .option("failOnDataLoss", True)
        .option("groupIdPrefix", GROUP_ID_PREFIX)
        .option("maxOffsetsPerTrigger", MAX_MESSAGES_PER_TRIGGER)
        .option("minPartitions", min_partitions)
        .load()
    )
