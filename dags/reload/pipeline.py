"""Puts the nine steps together for one contract."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, Asset, task

from batchstream.contract import Contract
from reload.consume import ConsumeStreamOperator
from reload.docs import DOC
from reload.edge import note_failure
from reload.produce import ProduceBatchesOperator
from reload.verify import VerifyOperator

if TYPE_CHECKING:
    from psycopg.sql import Composed

CHECKS = ("row_count_check", "column_check", "published_check")
"""Names of the checks' SQL in `batchstream.postgres.templates`."""

LOAD_ID = "{{ ti.xcom_pull(task_ids='open_load') }}"

DEFAULT_ARGUMENTS: dict[str, Any] = {
    "owner": "batchstream",
    "retries": 2,
    # Shorter than ledger.LEASE_SECONDS, so that a load between two tries still counts as alive.
    "retry_delay": timedelta(seconds=5),
    "execution_timeout": timedelta(minutes=15),
    "on_failure_callback": note_failure,
    "on_retry_callback": note_failure,
}
LONG_STEP = timedelta(hours=2)
START = pendulum.datetime(2024, 1, 1, tz="UTC")


def build_pipeline(contract: Contract) -> DAG:
    """The DAG that reloads one dataset."""

    @task(doc_md=DOC["open_load"])
    def open_load(*, run_id: Any = None) -> int:
        from reload import tasks

        return tasks.open_load(contract, run_id)

    @task(doc_md=DOC["create_topic"])
    def create_topic(load_id: Any) -> None:
        from reload import tasks

        tasks.create_topic(contract, load_id)

    @task(doc_md=DOC["publish_load"], execution_timeout=LONG_STEP)
    def publish_load(load_id: Any) -> dict[str, int]:
        from reload import tasks

        return tasks.publish_load(contract, load_id)

    @task(doc_md=DOC["close_load"])
    def close_load(*, ti: Any = None, run_id: Any = None) -> str:
        from reload import tasks

        failed = tasks.failed_tasks(ti, contract.dag_id, run_id)
        return tasks.close_load(ti.xcom_pull(task_ids="open_load"), failed)

    def verify(task_id: str, check: str, **arguments: Any) -> VerifyOperator:
        return VerifyOperator(
            task_id=task_id,
            sql=f"{{{{ {check}(ti.xcom_pull(task_ids='open_load')) }}}}",
            doc_md=DOC[task_id],
            **arguments,
        )

    with DAG(
        dag_id=contract.dag_id,
        description=f"Reloads {contract.name} through Kafka and Spark into PostgreSQL, verified before anyone sees it",
        doc_md=f"{DOC['dag']}\n\n{contract.description}",
        schedule=contract.schedule,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=DEFAULT_ARGUMENTS,
        user_defined_macros={name: _check(contract, name) for name in CHECKS},
        tags=["batchstream", contract.name],
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
        verify_row_count = verify("verify_row_count", "row_count_check")
        verify_columns = verify("verify_columns", "column_check")
        # The asset event means verified: readers downstream are told only when the target has been looked at.
        verify_published = verify("verify_published", "published_check", outlets=[Asset(name=contract.name)])
        (
            create_topic(load_id)
            >> produce_batches
            >> consume_stream
            >> verify_row_count
            >> verify_columns
            >> publish_load(load_id)
            >> verify_published
            >> close_load().as_teardown()
        )
    return dag


def _check(contract: Contract, name: str) -> Callable[[int], str]:
    """What a check's template calls: SQL composed for this contract when the task runs."""

    def composed(load_id: int) -> str:
        from batchstream.postgres import templates

        render: Callable[[Contract, int], Composed] = getattr(templates, name)
        return render(contract, load_id).as_string(None)

    return composed
