"""The producer's task."""

from typing import Any

from airflow.providers.apache.kafka.hooks.produce import KafkaProducerHook
from airflow.providers.apache.kafka.operators.produce import ProduceToTopicOperator

from batchstream.airflow.connections import KAFKA, engines
from batchstream.airflow.failures import airflow_errors
from batchstream.contract import Contract
from batchstream.records.messages import load_messages


class ProduceBatchesOperator(ProduceToTopicOperator):
    """Produces the batches of a load, and is green only if the broker acknowledged every one of them.

    `ProduceToTopicOperator` can lose messages with a green task: its delivery callback only logs a failure, and without
    ``synchronous`` a full queue is a ``BufferError``. `batchstream.load.send` counts acknowledgements, stops at the first
    failure, waits while too many are missing (so memory stays flat), and tells the ledger what was acknowledged and where.
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
        self.load_id = load_id

    def execute(self, context: Any) -> None:
        """Produce the load; a retried task produces all of it again."""
        from batchstream.load import send

        hook = KafkaProducerHook(kafka_config_id=self.kafka_config_id)
        with airflow_errors():
            send.send_load(engines(), hook.get_producer, int(self.load_id))
