"""When an idempotent producer begins to send, and how; the rest is in the tests of the producer's faults."""

import logging
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from batchstream.delivery import deliver
from tests.support.pipeline import Pipeline

PRODUCERS = 10
"""Of those that ask once, one in three begins over the connection to the bootstrap server, which it is about to give up."""


def test_it_is_connected_before_it_sends_and_need_not_ask_twice_for_its_id(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline.create_topic(pipeline.open())
    settings = {"bootstrap.servers": pipeline.kafka["bootstrap.servers"], "enable.idempotence": True, "debug": "broker"}
    connected = []

    def messages(producer: Producer) -> Iterator[tuple[bytes, bytes]]:
        producer.poll(0)  # hands on what the client has logged
        connected.append(any("-> UP" in message and "/bootstrap:" not in message for message in caplog.messages))
        yield b"key", b"value"

    for _ in range(PRODUCERS):
        caplog.clear()
        producer = Producer(settings, logger=logging.getLogger(__name__))
        with caplog.at_level(logging.DEBUG, __name__):
            deliver(producer, pipeline.contract.topic.name, messages(producer))
    assert connected == [True] * PRODUCERS


def test_the_broker_keeps_batches_compressed(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    messages, _ = pipeline.messages(1)
    pipeline.send(messages)
    logs = (pipeline.installation.kafka.folder / "data").glob(f"{pipeline.contract.topic.name}-*/*.log")
    assert 0 < sum(log.stat().st_size for log in logs) < sum(len(value) for _, value in messages) / 2
