"""What a load has consumed, as the offsets of a Kafka consumer group: for those who watch the group's lag.

Spark keeps its place in a checkpoint and commits nothing to Kafka, so any tool would show no group, or a lag that only grows.
These offsets are for the eye only. No load begins at them: a load begins where its ledger row says.
"""

import logging
from collections.abc import Mapping
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from batchstream.kafka.topics import client_settings

GROUP_ID_PREFIX = "spark-consumer"
"""Of Spark's own, passing groups as well."""

TIMEOUT_SECONDS = 5

log = logging.getLogger(__name__)


def group_id(dataset: str) -> str:
    """Name of the group that shows how far a dataset has been consumed."""
    return f"{GROUP_ID_PREFIX}-{dataset}"


def show_consumed(settings: Mapping[str, Any], topic: str, dataset: str, next_offsets: Mapping[int, int]) -> None:
    """Tell Kafka how far a load that has landed has read; one that Kafka does not take is logged and harms nothing.

    Args:
        settings: librdkafka's, of an Airflow connection.
        topic: Its name.
        dataset: Name of the contract.
        next_offsets: Of each partition, the offset after the last message that has landed.
    """
    partitions = [TopicPartition(topic, partition, offset) for partition, offset in next_offsets.items()]
    request = ConsumerGroupTopicPartitions(group_id(dataset), partitions)
    try:
        admin = AdminClient(client_settings(settings))
        admin.alter_consumer_group_offsets([request], request_timeout=TIMEOUT_SECONDS)[request.group_id].result()
    except KafkaException as error:
        log.warning("the lag of group '%s' is not up to date: %s", request.group_id, error)
