"""The consumer's task."""

import json
import re
from typing import Any

import msgspec
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from batchstream.contract import Contract
from batchstream.errors import BatchstreamError
from batchstream.paths import SPARK_APPLICATION
from batchstream.postgres import ledger
from batchstream.postgres.connection import POSTGRES_VARIABLE
from batchstream.topics import KAFKA_VARIABLE
from reload.connections import POSTGRES, SPARK, kafka_settings, postgres, postgres_settings, spark_settings
from reload.edge import airflow_errors


class ConsumeStreamOperator(SparkSubmitOperator):
    """Submits the consumer of a load.

    A thin subclass for three reasons. `SparkSubmitOperator` renders ``env_vars``, so a password in them would be stored and
    shown; here they are made when the task runs. It takes jars, memory and configuration from the DAG file; here they come
    from the Spark connection's extra, so a cluster is configuration. And what fails in the application reaches the
    task's message as a sentence, not as the command line and the exit status of a JVM.
    """

    template_fields = tuple(name for name in SparkSubmitOperator.template_fields if name != "env_vars")

    def __init__(self, *, contract: Contract, load_id: Any, **kwargs: Any) -> None:
        super().__init__(
            application=str(SPARK_APPLICATION),
            conn_id=SPARK,
            name=f"batchstream-{contract.name}",
            application_args=["--contract", str(contract.path), "--load-id", load_id],
            **kwargs,
        )

    def execute(self, context: Any) -> None:
        """Run the consumer and wait for its end."""
        load_id = int((self.application_args or [])[-1])
        with airflow_errors():
            self._configure()
        try:
            super().execute(context)
        except AirflowException as error:
            state, reason = self._ledger(load_id)
            retriable = state in (None, ledger.State.PRODUCED, ledger.State.LANDED)
            raise (AirflowException if retriable else AirflowFailException)(reason or _shortened(str(error))) from error

    def _configure(self) -> None:
        settings = spark_settings()
        self.conf = {**settings.get("conf", {}), **(self.conf or {})}
        self.driver_class_path = settings.get("driver_class_path")
        self.jars = settings.get("jars")
        self.properties_file = settings.get("properties_file")
        self._driver_memory = settings.get("driver_memory")
        self._executor_memory = settings.get("executor_memory")
        self.application_args = [*(self.application_args or []), "--checkpoints", settings["checkpoints"]]
        self.env_vars = {
            POSTGRES_VARIABLE: msgspec.json.encode(postgres_settings(POSTGRES)).decode(),
            KAFKA_VARIABLE: json.dumps(kafka_settings()),
        }

    def _ledger(self, load_id: int) -> tuple[str | None, str | None]:
        """State of the load, and what the application noted before it ended."""
        try:
            with postgres(POSTGRES, self.task_id) as connection:
                row = ledger.read(connection, load_id)
        except BatchstreamError:
            return None, None
        return row["state"], row["reason"]


def _shortened(message: str) -> str:
    """The provider's message without the command line of a thousand characters."""
    return re.sub(
        r"Cannot execute: .*? Error code is: (\S+?)\.?$", r"spark-submit ended with exit status \1", message, count=1, flags=re.M
    )
