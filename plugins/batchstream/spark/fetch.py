"""The only place that reads messages from Kafka: on the driver for a small load, in the tasks of executors for a large one."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from batchstream.errors import BatchstreamError, FetchError, LoadError, errors_about
from batchstream.kafka.errors import explained, needs_mending
from batchstream.kafka.topics import client_settings
from batchstream.records.messages import Message
from batchstream.spark.offset_ranges import OffsetRange

FETCH_SETTINGS = {
    "enable.auto.commit": False,
    # Offsets that are gone are lost records: the run must be red, never green without them.
    "auto.offset.reset": "error",
    # A message that is there is looked at, whoever sent it and how, as Spark would.
    "isolation.level": "read_uncommitted",
    "enable.partition.eof": True,
    "check.crcs": True,
    # The client's default of 500 is a flat half second in each small run that reads up to the end of the topic.
    "fetch.wait.max.ms": 10,
    # What a task may have fetched ahead, in KiB, so that its memory stays flat; and how long, in milliseconds, it looks away
    # when it has so much. By default that is a second, in which it runs dry.
    "queued.max.messages.kbytes": 8 * 1024,
    "fetch.queue.backoff.ms": 5,
}

MESSAGES_PER_CALL = 100
SILENCE_SECONDS = 60
"""How long a broker may have no message that is known to be there: longer than a cluster takes to choose another leader."""


def fetch(settings: Mapping[str, Any], topic: str, offsets: OffsetRange, group: str) -> Iterator[Message]:
    """Yield the messages of some offsets, in their order.

    Args:
        settings: The Airflow connection's, in librdkafka's names.
        topic: Its name.
        offsets: Which of its messages.
        group: Name of a consumer group, as a client has to have one; nothing is committed for it.

    Raises:
        LoadError: Some of these messages are gone, or can't be unpacked.
        TopicError: The user of the connection may not read them.
        FetchError: The broker can't be read from.
    """
    consumer = Consumer({**client_settings(settings), **FETCH_SETTINGS, "group.id": group})
    try:
        consumer.assign([TopicPartition(topic, offsets.partition, offsets.start)])
        with errors_about(topic=topic, partition=offsets.partition):
            yield from _messages(consumer, settings, topic, offsets)
    finally:
        consumer.close()


def _messages(consumer: Consumer, settings: Mapping[str, Any], topic: str, offsets: OffsetRange) -> Iterator[Message]:
    position = offsets.start
    silence = 0.0
    while position < offsets.end:
        # Only while it waits here: what becomes of the messages may take as long as it takes.
        asked = time.monotonic()
        messages = consumer.consume(min(MESSAGES_PER_CALL, offsets.end - position), timeout=1)
        silence = 0 if messages else silence + time.monotonic() - asked
        for message in messages:
            error, offset = message.error(), int(message.offset() or 0)
            if error is None:
                position = offset + 1
                if offset < offsets.end:
                    yield Message(topic, offsets.partition, offset, message.key(), message.value())
            elif error.code() == KafkaError._PARTITION_EOF:
                # Offsets that close a transaction have no message: after them comes another message, or this.
                position = offset
            else:
                raise _failure(error, settings, topic, offsets, position)
        if silence > SILENCE_SECONDS:
            raise FetchError(
                f"topic '{topic}' partition {offsets.partition} offset {position}: no message came within {SILENCE_SECONDS} s; "
                "look whether the brokers run, and the partition has a leader"
            )


def _failure(error: KafkaError, settings: Mapping[str, Any], topic: str, offsets: OffsetRange, position: int) -> BatchstreamError:
    place = f"topic '{topic}' partition {offsets.partition} offset {position}"
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        return LoadError(f"{place}: the messages from here to {offsets.end} are gone before they were read; start a new run")
    if error.code() == KafkaError._BAD_COMPRESSION:
        # A retry would find it again; what the load's own producer sends is small enough to be unpacked.
        return LoadError(
            f"{place}: a message can't be unpacked, as it is damaged or far larger than any of the load's own ({error.str()}): "
            "find out who else writes into the topic, then start a new run"
        )
    if needs_mending(error):
        return explained(error, settings, topic)
    return FetchError(f"{place}: {error.str()}; look whether topic and brokers are what the load began with")
