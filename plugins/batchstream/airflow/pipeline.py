"""Puts the nine steps together for one contract."""

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, get_current_context, task

from batchstream.airflow.consume import ConsumeStreamOperator
from batchstream.airflow.docs import DOC
from batchstream.airflow.edge import note_failure, note_retry
from batchstream.airflow.produce import ProduceBatchesOperator
from batchstream.airflow.verify import VerifyOperator
from batchstream.contract import Contract

LOAD_ID = "{{ ti.xcom_pull(task_ids='open_load') }}"

DEFAULT_ARGUMENTS: dict[str, Any] = {
    "owner": "batchstream",
    "retries": 2,
    # Shorter than opening.LEASE_SECONDS, so that a load between two tries still counts as alive.
    "retry_delay": timedelta(seconds=5),
    "execution_timeout": timedelta(minutes=15),
    "on_failure_callback": note_failure,
    "on_retry_callback": note_retry,
}
LONG_STEP = timedelta(hours=2)

PARAMETERS = {
    "allow_changes": Param(
        False,
        type="boolean",
        title="Allow large changes",
        description="Publish also if that deletes more than half of a table of more than 100 rows. Noted in the ledger.",
    ),
    "override_checks": Param(
        None,
        type=["null", "string"],
        minLength=1,
        title="Publish against the checks",
        description="A reason why this load is published although a check was marked as green by hand. Noted in the ledger.",
    ),
}
"""Of a run; see `batchstream.airflow.tasks.PARAMETERS`."""
START = pendulum.datetime(2024, 1, 1, tz="UTC")

WITHOUT_TIMES = ("@once", "@continuous")

LATE = timedelta(minutes=5)
"""A DAG that is new waits for its next time, unless the last one has passed by no more than this."""


def build_pipeline(contract: Contract) -> DAG:
    """The DAG that reloads one dataset."""

    @task(doc_md=DOC["open_load"])
    def open_load() -> int:
        from batchstream.airflow import tasks

        return tasks.open_load(contract, get_current_context())

    @task(doc_md=DOC["create_topic"])
    def create_topic(load_id: Any) -> None:
        from batchstream.airflow import tasks

        tasks.create_topic(load_id)

    @task(doc_md=DOC["publish_load"], execution_timeout=LONG_STEP)
    def publish_load(load_id: Any) -> dict[str, int]:
        from batchstream.airflow import tasks

        return tasks.publish_load(load_id)

    @task(doc_md=DOC["close_load"])
    def close_load(*, ti: Any = None, run_id: Any = None) -> None:
        from batchstream.airflow import tasks

        failed = tasks.failed_tasks(ti, contract.dag_id, run_id)
        tasks.close_load(ti.xcom_pull(task_ids="open_load"), failed)

    def verify(task_id: str, check: str, **arguments: Any) -> VerifyOperator:
        return VerifyOperator(task_id=task_id, check=check, load_id=LOAD_ID, doc_md=DOC[task_id], **arguments)

    with DAG(
        dag_id=contract.dag_id,
        description=f"Reloads {contract.name} through Kafka and Spark into PostgreSQL, verified before anyone sees it",
        # In this order: a text that ends in .md is the name of a file to Airflow.
        doc_md=f"{contract.description}\n\n{DOC['dag']}",
        schedule=_schedule(contract),
        # With one in the past, a new DAG would be run at once, for its last time before now.
        start_date=START if contract.schedule in WITHOUT_TIMES else None,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=DEFAULT_ARGUMENTS,
        params=PARAMETERS,
        tags=["batchstream", contract.name],
        # The DAG files say which of them show it.
        auto_register=False,
    ) as dag:
        load_id = open_load()
        produce_batches = ProduceBatchesOperator(
            task_id="produce_batches",
            contract=contract,
            load_id=LOAD_ID,
            execution_timeout=LONG_STEP,
            doc_md=DOC["produce_batches"],
        )
        consume_stream = ConsumeStreamOperator(
            task_id="consume_stream",
            contract=contract,
            load_id=LOAD_ID,
            execution_timeout=LONG_STEP,
            doc_md=DOC["consume_stream"],
        )
        verify_row_count = verify("verify_row_count", "row_count")
        verify_columns = verify("verify_columns", "columns")
        # The asset event means verified: readers downstream are told only when the target has been looked at.
        verify_published = verify("verify_published", "published", outlets=[Asset(name=contract.name)])
        (
            create_topic(load_id)
            >> produce_batches
            >> consume_stream
            >> verify_row_count
            >> verify_columns
            >> publish_load(load_id)
            >> verify_published
            # A run that published nothing is never green, whoever marked its tasks as what.
            >> close_load().as_teardown(on_failure_fail_dagrun=True)
        )
    return dag


def _schedule(contract: Contract) -> CronTriggerTimetable | str | None:
    if contract.schedule is None or contract.schedule in WITHOUT_TIMES:
        return contract.schedule
    return CronTriggerTimetable(contract.schedule, timezone="UTC", run_immediately=LATE)
