"""Sends the batches of a load, with back-pressure, and counts what the broker acknowledged."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from batchstream.errors import DeliveryError, SourceError

PRODUCER_SETTINGS = {
    "enable.idempotence": True,
    "acks": "all",
    # A quarter of the bytes on the broker's disk and on their way to Spark, and no time of the producer's.
    "compression.type": "lz4",
    # How long it tries to deliver a message; after that the task is red.
    "message.timeout.ms": 30_000,
    "socket.connection.setup.timeout.ms": 5_000,
}
"""Of the Kafka connections that we make, in librdkafka's names; consumers leave out what is the producer's alone."""

MAX_UNACKNOWLEDGED_BYTES = 32 * 1024 * 1024
"""Two thousand of housing's batches: enough to keep a broker busy, while the client's own limit is a gigabyte."""

POLL_SECONDS = 0.1
CONNECT_SECONDS = 15
FLUSH_SECONDS = 330
"""Longer than ``message.timeout.ms`` of a connection, 300 s if it has none, after which every message has its verdict."""


class Acknowledged:
    """Delivery callback that counts, and raises where others would only log.

    Attributes:
        batches: Messages that the broker has acknowledged.
        value_bytes: What their values have together.
        offsets: First and last offset of each partition among them.
    """

    def __init__(self) -> None:
        self.batches = 0
        self.value_bytes = 0
        self.offsets: dict[str, list[int]] = {}

    def __call__(self, error: KafkaError | None, message: Any) -> None:
        """Take the verdict on one message."""
        if error is not None:
            raise _failure(error, message.topic(), message.key(), len(message))
        self.batches += 1
        self.value_bytes += len(message)
        offset = message.offset()
        first_and_last = self.offsets.setdefault(str(message.partition()), [offset, offset])
        first_and_last[0] = min(first_and_last[0], offset)
        first_and_last[1] = max(first_and_last[1], offset)


def deliver(producer: Any, topic: str, messages: Iterable[tuple[bytes | None, bytes | None]]) -> Acknowledged:
    """Send messages and wait for every acknowledgement; memory doesn't grow with their number.

    Args:
        producer: A ``confluent_kafka.Producer``.
        topic: Name of the topic.
        messages: Key and value of each.

    Raises:
        KafkaException: No broker answers, or a message was not delivered; the first failure stops the rest. What it means says
            `batchstream.kafka.errors.explained`.
        DeliveryError: Some messages had no answer after `FLUSH_SECONDS`.
        SourceError: A message is larger than the producer or the broker takes.
    """
    _connect(producer, topic)
    acknowledged = Acknowledged()
    sent_bytes = 0
    for key, value in messages:
        while sent_bytes - acknowledged.value_bytes >= MAX_UNACKNOWLEDGED_BYTES:
            producer.poll(POLL_SECONDS)
        size = len(value or b"")
        sent_bytes += size
        while True:
            try:
                producer.produce(topic, key=key, value=value, on_delivery=acknowledged)
                break
            except BufferError:
                producer.poll(POLL_SECONDS)
            except KafkaException as error:
                raise _failure(error.args[0], topic, key, size) from error
        producer.poll(0)
    unsent = producer.flush(FLUSH_SECONDS)
    if unsent:
        raise DeliveryError(f"{unsent} batches without an answer after {FLUSH_SECONDS} s")
    return acknowledged


def _failure(error: KafkaError, topic: str, key: bytes | None, size: int) -> Exception:
    if error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
        return KafkaException(error)
    shown = (key or b"").decode(errors="replace")
    return SourceError(
        f"topic '{topic}': the message with the key {shown} has {size:,} bytes, and {error.str()}; "
        "shorten the record, or raise 'message.max.bytes' of the Kafka connection and 'max.message.bytes' of the topic"
    )


def _connect(producer: Any, topic: str) -> None:
    """Have brokers connected before the first message.

    An idempotent producer needs an id. If no broker is connected when it asks for one, it asks again half a second later, or
    when it hears of the topic. The first answer comes over the connection to a bootstrap server, which it then gives up
    for those to the brokers by their names; the second comes over one of these.
    """
    producer.list_topics(topic, timeout=CONNECT_SECONDS)
    # Whatever is wrong with them is told by the messages.
    with suppress(KafkaException):
        producer.list_topics(topic, timeout=CONNECT_SECONDS)
