"""The consumer's task."""

from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowException

from batchstream.airflow.connections import POSTGRES, SPARK, postgres_settings, spark_settings, submit_environment
from batchstream.airflow.failures import airflow_errors
from batchstream.contract import Contract
from batchstream.errors import BatchstreamError, LoadError, SparkError, errors_about
from batchstream.paths import SPARK_APPLICATION
from batchstream.private import submit_in


class ConsumeStreamOperator(SparkSubmitOperator):
    """Submits the consumer of a load.

    A thin subclass for three reasons. `SparkSubmitOperator` renders ``env_vars``, so a password in them would be stored and
    shown, and on Kubernetes and YARN it would be a ``--conf`` on the command line; here it is in the environment of
    ``spark-submit`` alone, and a driver in a pod of its own has its settings from a secret of Kubernetes. It takes jars, memory
    and configuration from the DAG file; here they come from the Spark connection's extra, so a cluster is configuration. And
    what fails in the application reaches the task's message as a sentence, not as the command line and the exit status of a
    JVM.
    """

    def __init__(self, *, contract: Contract, load_id: Any, **kwargs: Any) -> None:
        super().__init__(
            application=str(SPARK_APPLICATION),
            conn_id=SPARK,
            name=f"batchstream-{contract.handle}",
            application_args=["--load-id", load_id],
            **kwargs,
        )
        self._dataset = contract.name

    def execute(self, context: Any) -> None:
        """Run the consumer and wait for its end."""
        load_id = int((self.application_args or [])[-1])
        with airflow_errors():
            self._configure()
        try:
            super().execute(context)
        except AirflowException as error:
            # The application tells the ledger why it failed; the provider's own message is a command line of a thousand
            # characters and the exit status of a JVM.
            self.log.warning("spark-submit failed: %s", error)
            with airflow_errors(), errors_about(dataset=self._dataset, load_id=load_id):
                raise self._failure(load_id) from error

    def _configure(self) -> None:
        settings = spark_settings()
        memory = {
            f"spark.{role}.memory": settings[f"{role}_memory"] for role in ("driver", "executor") if f"{role}_memory" in settings
        }
        self.conf = {**settings.get("conf", {}), **memory, **(self.conf or {})}
        self.driver_class_path = settings.get("driver_class_path")
        self.jars = settings.get("jars")
        self.properties_file = settings.get("properties_file")
        self.application_args = [*(self.application_args or []), "--checkpoints", settings["checkpoints"]]
        if settings.get("deploy-mode") == "cluster":
            # The driver's image has the application at the same place; without the scheme Spark would upload ours.
            self.application = f"local://{SPARK_APPLICATION}"
        submit_in(self, submit_environment())

    def _failure(self, load_id: int) -> BatchstreamError:
        """Why the application failed, as an error that says whether a retry would fail again."""
        from batchstream.postgres import ledger
        from batchstream.postgres.connection import connect
        from batchstream.postgres.failures import postgres_errors

        try:
            with (
                connect(postgres_settings(POSTGRES), application_name=f"batchstream {self.task_id}") as connection,
                postgres_errors(f"load {load_id}: asking why it failed"),
            ):
                row = ledger.read(connection, load_id)
        except BatchstreamError as error:
            return error
        unfinished = row["state"] in (ledger.State.PRODUCED, ledger.State.LANDED)
        reason = row["reason"] or f"load {load_id}: Spark ended without a word in the ledger; see this task's log, and Spark's"
        return (LoadError if row["failed_for_good"] or not unfinished else SparkError)(reason)
