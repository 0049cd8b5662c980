"""The producer's task."""

from collections.abc import Iterator
from typing import Any

from airflow.providers.apache.kafka.hooks.produce import KafkaProducerHook
from airflow.providers.apache.kafka.operators.produce import ProduceToTopicOperator
from confluent_kafka import KafkaError, KafkaException
from psycopg.types.json import Jsonb

from batchstream.contract import Contract
from batchstream.errors import DeliveryError
from batchstream.postgres import ledger
from batchstream.records.messages import batch_key
from batchstream.records.source import SourceReader
from reload.connections import KAFKA, POSTGRES, kafka_settings, postgres
from reload.edge import airflow_errors

POLL_SECONDS = 0.1
FLUSH_SECONDS = 120
"""Longer than ``message.timeout.ms`` of the connection, after which every message has its verdict."""


def load_messages(load_id: int, source: SourceReader) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each batch of a load, in the order of the source."""
    for number, value in enumerate(source, 1):
        yield batch_key(load_id, number), value


class ProduceBatchesOperator(ProduceToTopicOperator):
    """Produces the batches of a load, and is green only if the broker acknowledged every one of them.

    `ProduceToTopicOperator` can lose messages with a green task: its delivery callback only logs a failure, and without
    ``synchronous`` a full queue is a ``BufferError``. This one counts acknowledgements, stops at the first failure, waits
    when the queue is full (so memory stays flat), and tells the ledger what was acknowledged and where.
    """

    template_fields = (*ProduceToTopicOperator.template_fields, "load_id")  # type: ignore[assignment]

    def __init__(self, *, contract: Contract, load_id: Any, **kwargs: Any) -> None:
        super().__init__(
            topic=contract.topic.name,
            producer_function=load_messages,
            kafka_config_id=KAFKA,
            synchronous=False,
            **kwargs,
        )
        self.contract = contract
        self.load_id = load_id

    def execute(self, context: Any) -> None:
        """Produce the load; a retried task produces all of it again, and the inbox takes each batch once."""
        load_id = int(self.load_id)
        with airflow_errors(), postgres(POSTGRES, self.task_id) as connection, ledger.working_on(connection, load_id):
            source = SourceReader(self.contract)
            messages = load_messages(load_id, source)
            acknowledged = self._produce(messages, KafkaProducerHook(kafka_config_id=self.kafka_config_id).get_producer())
            if acknowledged.batches != source.batches:
                raise DeliveryError(
                    f"{source.batches} batches were sent to topic '{self.topic}', {acknowledged.batches} acknowledged"
                )
            with connection.transaction():
                ledger.transition(
                    connection,
                    load_id,
                    ledger.State.PRODUCED,
                    source_sha256=source.sha256,
                    source_records=source.records,
                    produced_batches=acknowledged.batches,
                    produced_records=source.records,
                    acknowledged_offsets=Jsonb(acknowledged.offsets),
                )
            self.log.info(
                "%d batches, %d records acknowledged: %s",
                acknowledged.batches,
                source.records,
                acknowledged.offsets,
            )

    def _produce(self, messages: Iterator[tuple[bytes, bytes]], producer: Any) -> "_Acknowledged":
        acknowledged = _Acknowledged(self.topic)
        try:
            for key, value in messages:
                while True:
                    try:
                        producer.produce(self.topic, key=key, value=value, on_delivery=acknowledged)
                        break
                    except BufferError:
                        producer.poll(POLL_SECONDS)
                producer.poll(0)
            unsent = producer.flush(FLUSH_SECONDS)
        except KafkaException as error:
            raise DeliveryError(f"Kafka at {self._servers()}: {error}: start the broker, or mend connection '{KAFKA}'") from error
        if unsent:
            raise DeliveryError(f"Kafka at {self._servers()}: {unsent} batches without an answer after {FLUSH_SECONDS} s")
        return acknowledged

    def _servers(self) -> str:
        return str(kafka_settings()["bootstrap.servers"])


class _Acknowledged:
    """Delivery callback that counts, and raises where the provider's own would only log."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.batches = 0
        self.offsets: dict[str, list[int]] = {}

    def __call__(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            raise KafkaException(error)
        self.batches += 1
        offset = message.offset()
        span = self.offsets.setdefault(str(message.partition()), [offset, offset])
        span[0] = min(span[0], offset)
        span[1] = max(span[1], offset)
