"""Messages of a span of offsets, from a real broker: all of them, each once, or an error that says what to do."""

import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from batchstream.errors import FetchError, LoadError
from batchstream.local import ports
from batchstream.local.broker_settings import MAX_MESSAGE_BYTES
from batchstream.local.installation import Installation
from batchstream.records.messages import Message
from batchstream.spark import fetch as module
from batchstream.spark.fetch import fetch
from batchstream.spark.offset_ranges import OffsetRange


class Topic:
    def __init__(self, kafka: dict[str, str]) -> None:
        self.name = f"fetch-{uuid.uuid4().hex[:8]}"
        self.settings = {**kafka, "enable.idempotence": True, "acks": "all", "message.timeout.ms": 30_000}
        self.admin = AdminClient(dict(kafka))
        self.admin.create_topics([NewTopic(self.name, 1, 1)])[self.name].result()

    def send(self, *values: bytes | None, **settings: str | int) -> None:
        producer = Producer({**self.settings, **settings})
        for value in values:
            producer.produce(self.name, key=None if value is None else b"key", value=value)
        producer.flush()

    def transaction(self, *values: bytes, commit: bool) -> None:
        producer = Producer({**self.settings, "transactional.id": uuid.uuid4().hex})
        producer.init_transactions()
        producer.begin_transaction()
        for value in values:
            producer.produce(self.name, value=value)
        producer.flush()
        if commit:
            producer.commit_transaction()
        else:
            producer.abort_transaction()

    def fetch(self, start: int, end: int, partition: int = 0) -> list[Message]:
        return list(fetch(self.settings, self.name, OffsetRange(partition, start, end), "spark-consumer-tests"))

    def found(self, start: int, end: int) -> list[tuple[int, bytes | None]]:
        return [(message.offset, message.value) for message in self.fetch(start, end)]


@pytest.fixture
def topic(installation: Installation) -> Iterator[Topic]:
    made = Topic(installation.kafka.client_settings)
    yield made
    made.admin.delete_topics([made.name])[made.name].result()


def test_a_span_has_its_messages_and_no_others_as_they_were_sent(topic: Topic) -> None:
    values = [None, b"", b"\xff\x00[\xed\xa0\x80", *(b"%d" % number for number in range(3, 1000))]
    topic.send(*values)
    assert topic.found(0, 1000) == list(enumerate(values))
    assert topic.fetch(2, 4) == [Message(topic.name, 0, 2, b"key", values[2]), Message(topic.name, 0, 3, b"key", b"3")]
    assert topic.fetch(0, 1) == [Message(topic.name, 0, 0, None, None)]
    assert topic.fetch(5, 5) == []


def test_a_message_larger_than_a_fetch_comes_whole(topic: Topic) -> None:
    size = MAX_MESSAGE_BYTES - 1000
    topic.send(b"x" * size, b"after", **{"message.max.bytes": MAX_MESSAGE_BYTES})
    assert [len(message.value or b"") for message in topic.fetch(0, 2)] == [size, 5]


def test_a_message_that_grows_too_much_when_it_is_unpacked_is_told_for_good(topic: Topic) -> None:
    """Kafka bounds a message as it is packed: 100 MB of zeros are some kilobytes."""
    topic.send(bytes(100_000_000), **{"message.max.bytes": 200_000_000, "compression.type": "zstd"})
    with pytest.raises(LoadError, match=rf"'{topic.name}' partition 0 offset 0: a message can't be unpacked, .*who else writes"):
        topic.fetch(0, 1)


def test_offsets_without_a_message_end_a_span_all_the_same(topic: Topic) -> None:
    """Whoever sends in a transaction leaves a note of its end at an offset of its own."""
    topic.transaction(b"a", b"b", commit=True)
    assert topic.found(0, 3) == [(0, b"a"), (1, b"b")]
    topic.transaction(b"c", commit=False)
    topic.send(b"d")
    # Looked at, as all that is there, and rejected by whoever knows the load.
    assert topic.found(0, 6) == [(0, b"a"), (1, b"b"), (3, b"c"), (5, b"d")]
    assert topic.found(2, 5) == [(3, b"c")]
    assert topic.found(2, 3) == []


def test_messages_that_are_gone_are_named(topic: Topic) -> None:
    topic.send(*(b"%d" % number for number in range(10)))
    topic.admin.delete_records([TopicPartition(topic.name, 0, 4)])[TopicPartition(topic.name, 0)].result()
    with pytest.raises(LoadError, match=rf"^topic '{topic.name}' partition 0 offset 2: the messages from here to 8 are gone"):
        topic.fetch(2, 8)
    assert len(topic.fetch(4, 10)) == 6


def test_a_partition_that_is_not_there_is_named(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 2)
    with pytest.raises(FetchError, match=rf"^topic '{topic.name}' partition 7 offset 0: .*; look whether"):
        topic.fetch(0, 1, partition=7)


def test_a_broker_that_keeps_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 2)
    settings = {"bootstrap.servers": f"{ports.LOOPBACK}:{ports.any_free()}", "log_level": 0}
    with pytest.raises(FetchError, match=r"^topic 'any' partition 0 offset 3: no message came within 2 s; look whether"):
        list(fetch(settings, "any", OffsetRange(0, 3, 4), "spark-consumer-tests"))


def test_the_time_that_a_landing_takes_is_no_silence_of_the_broker(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 2)
    topic.send(b"0")
    found = []
    # What is sent later is waited for, too: a second long, which with the landing would be too long.
    later = threading.Timer(1.3, topic.send, [b"1"])
    for message in fetch(topic.settings, topic.name, OffsetRange(0, 0, 2), "spark-consumer-tests"):
        found.append(message.offset)
        if message.offset == 0:
            time.sleep(2.2)
            later.start()
    assert found == [0, 1]
