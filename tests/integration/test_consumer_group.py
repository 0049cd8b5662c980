"""The lag that Kafka's tools show is the truth, and nothing depends on it."""

import logging

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from batchstream.kafka.consumer_group import group_id, show_consumed
from batchstream.kafka.topics import client_settings
from batchstream.local import ports
from tests.support.pipeline import Pipeline


def lag(pipeline: Pipeline) -> int:
    """As Kafka UI reckons it: end of the topic less what the group has committed."""
    admin = AdminClient({**client_settings(pipeline.kafka), "log_level": 0})
    partition = TopicPartition(pipeline.contract.topic.name, 0)
    end = admin.list_offsets({partition: OffsetSpec.latest()})[partition].result().offset
    request = ConsumerGroupTopicPartitions(group_id(pipeline.name))
    (committed,) = admin.list_consumer_group_offsets([request])[request.group_id].result().topic_partitions
    return int(end - committed.offset)


def test_the_lag_is_what_has_been_produced_and_not_landed(pipeline: Pipeline) -> None:
    load_id = pipeline.produced()
    pipeline.consume(load_id)
    assert lag(pipeline) == 0
    assert pipeline.verify(load_id)[0]
    pipeline.publish(load_id)
    load_id = pipeline.produced()
    assert lag(pipeline) == 6
    pipeline.consume(load_id)
    assert lag(pipeline) == 0


def test_a_load_begins_at_its_own_offsets_whatever_the_group_says(pipeline: Pipeline) -> None:
    load_id = pipeline.produced()
    show_consumed(pipeline.kafka, pipeline.contract.topic.name, pipeline.name, {0: 6})
    pipeline.consume(load_id)
    passed, message = pipeline.verify(load_id)
    assert passed, message


def test_a_broker_that_is_gone_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    settings = {"bootstrap.servers": f"{ports.LOOPBACK}:{ports.any_free()}", "log_level": 0}
    with caplog.at_level(logging.WARNING):
        show_consumed(settings, "any", "housing", {0: 1})
    assert "the lag of group 'spark-consumer-housing' is not up to date" in caplog.text
