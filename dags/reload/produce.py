"""The producer's task."""

from collections.abc import Iterator
from typing import Any

from airflow.providers.apache.kafka.hooks.produce import KafkaProducerHook
from airflow.providers.apache.kafka.operators.produce import ProduceToTopicOperator
from confluent_kafka import KafkaException

from batchstream.contract import Contract
from batchstream.delivery import Acknowledged, deliver
from batchstream.errors import DeliveryError
from batchstream.kafka_errors import explained
from batchstream.records.messages import load_messages
from batchstream.records.source import SourceReader
from reload.connections import KAFKA, POSTGRES, kafka_settings, postgres
from reload.edge import airflow_errors


class ProduceBatchesOperator(ProduceToTopicOperator):
    """Produces the batches of a load, and is green only if the broker acknowledged every one of them.

    `ProduceToTopicOperator` can lose messages with a green task: its delivery callback only logs a failure, and without
    ``synchronous`` a full queue is a ``BufferError``. This one counts acknowledgements, stops at the first failure, waits
    while too many are missing (so memory stays flat), and tells the ledger what was acknowledged and where.
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
        from psycopg.types.json import Jsonb

        from batchstream.postgres import ledger

        load_id = int(self.load_id)
        with airflow_errors(), postgres(POSTGRES, self.task_id) as connection, ledger.working_on(connection, load_id):
            source = SourceReader(self.contract)
            messages = load_messages(load_id, source)
            acknowledged = self._deliver(messages)
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

    def _deliver(self, messages: Iterator[tuple[bytes, bytes]]) -> Acknowledged:
        try:
            return deliver(KafkaProducerHook(kafka_config_id=self.kafka_config_id).get_producer(), self.topic, messages)
        except KafkaException as error:
            raise explained(error.args[0], kafka_settings(), self.topic) from error
        except DeliveryError as error:
            raise DeliveryError(f"Kafka at {kafka_settings()['bootstrap.servers']}: {error}") from error
