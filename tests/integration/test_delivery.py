"""When an idempotent producer begins to send, how, and how much; the rest is in the tests of the producer's faults."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from batchstream.errors import SourceError, TopicError
from batchstream.kafka.delivery import MAX_UNACKNOWLEDGED_BYTES, deliver
from batchstream.kafka.errors import explained
from batchstream.records.messages import Signer, load_messages
from batchstream.records.source_reader import SourceReader
from tests.support.pipeline import Pipeline

PROCESSES = 30
"""Of producers that ask for the topic once, some (here one in twelve) begin over the connection to the bootstrap server, which
they are about to give up."""

SEND = """
import json, os, sys
from confluent_kafka import Producer
from batchstream.kafka.delivery import deliver

def messages():
    print("the first message is taken", file=sys.stderr, flush=True)
    yield b"key", b"value"

deliver(Producer({**json.loads(os.environ["KAFKA"]), "debug": "broker"}), sys.argv[1], messages())
"""


class LateProducer(Producer):
    """A producer whose clock is an hour slow for some messages."""

    def __init__(self, settings: dict[str, Any], late: tuple[bool, ...]) -> None:
        super().__init__(settings)
        self._late = list(late)

    def produce(self, *arguments: Any, **settings: Any) -> None:
        seconds = time.time() - 3600 * self._late.pop(0)
        super().produce(*arguments, **settings, timestamp=int(seconds * 1000))


def test_it_is_connected_before_it_sends_and_need_not_ask_twice_for_its_id(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    command = [sys.executable, "-c", SEND, pipeline.contract.topic.name]
    environment = {**os.environ, "KAFKA": json.dumps(pipeline.kafka)}
    for _ in range(PROCESSES):
        logged = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=True).stderr
        before, taken, _ = logged.partition("the first message is taken")
        assert taken
        assert any("-> UP" in line and "/bootstrap:" not in line for line in before.splitlines())


def test_the_broker_keeps_batches_compressed(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    messages = list(load_messages(Signer(1, 1, bytes(32)), SourceReader(pipeline.contract)))
    pipeline.send(messages)
    logs = (pipeline.installation.kafka.folder / "data").glob(f"{pipeline.contract.topic.name}-*/*.log")
    assert 0 < sum(log.stat().st_size for log in logs) < sum(len(value) for _, value in messages) / 2


def test_what_is_under_way_is_bounded_by_its_bytes(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    producer = Producer(pipeline.kafka)
    value = random.Random(506).randbytes(900_000)
    under_way = 0

    def messages() -> Iterator[tuple[bytes, bytes]]:
        nonlocal under_way
        for number in range(200):
            under_way = max(under_way, len(producer) * len(value))
            yield b"%d" % number, value

    assert deliver(producer, pipeline.contract.topic.name, messages()).value_bytes == 200 * len(value)
    assert MAX_UNACKNOWLEDGED_BYTES / 2 < under_way <= MAX_UNACKNOWLEDGED_BYTES + len(value)


@pytest.mark.parametrize("late", [(True,), (True, True, True), (True, False, True)], ids=["alone", "all of them", "some of them"])
def test_a_message_that_the_broker_refuses_is_told_with_its_cause(pipeline: Pipeline, late: tuple[bool, ...]) -> None:
    topic = f"{pipeline.contract.topic.name}-times-{len(set(late))}-{len(late)}"
    config = {"message.timestamp.before.max.ms": "60000"}
    admin = AdminClient(pipeline.kafka)
    admin.create_topics([NewTopic(topic, 1, 1, config=config)])[topic].result()
    # One batch of Kafka's, of which it refuses some or all.
    producer = LateProducer({**pipeline.kafka, "linger.ms": 500}, late)
    with pytest.raises(KafkaException) as caught:
        deliver(producer, topic, [(b"key", b"value")] * len(late))
    error = explained(caught.value.args[0], pipeline.kafka, topic)
    assert isinstance(error, TopicError)
    assert "INVALID_" in str(error)
    assert "set the clocks" in str(error)


@pytest.mark.parametrize(("topics", "clients"), [(100_000, 1_000_000), (1_000_000, 100_000)], ids=["the topic", "the producer"])
def test_a_message_that_is_larger_than_it_takes_is_told(pipeline: Pipeline, topics: int, clients: int) -> None:
    topic = f"{pipeline.contract.topic.name}-{topics}"
    config = {"max.message.bytes": str(topics)}
    admin = AdminClient(pipeline.kafka)
    admin.create_topics([NewTopic(topic, 1, 1, config=config)])[topic].result()
    producer = Producer({**pipeline.kafka, "message.max.bytes": clients})
    value = random.Random(506).randbytes(200_000)
    with pytest.raises(SourceError) as caught:
        deliver(producer, topic, [(b"a key", b"small"), (b"another key", value)])
    said = str(caught.value)
    assert said.startswith(f"topic '{topic}': the message with the key another key has 200,000 bytes, and ")
    assert said.endswith("raise 'message.max.bytes' of the Kafka connection and 'max.message.bytes' of the topic")
