"""The nine steps of a reload, one after the other."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, get_current_context, task

from batchstream.airflow.consume import ConsumeStreamOperator
from batchstream.airflow.docs import DOC
from batchstream.airflow.failures import load_id_of, note_failure, note_retry
from batchstream.airflow.produce import ProduceBatchesOperator
from batchstream.airflow.verify import VerifyOperator
from batchstream.contract import Contract

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


def add_steps(contract: Contract) -> None:
    """Add the steps to the DAG or the task group of the ``with`` around the call."""

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

        tasks.close_load(load_id_of(ti), tasks.failed_tasks(ti, run_id))

    load_id: Any = open_load()
    # Its name begins with that of a group around it.
    as_text = f"{{{{ ti.xcom_pull(task_ids='{load_id.operator.task_id}') }}}}"

    def verify(task_id: str, check: str, **arguments: Any) -> VerifyOperator:
        return VerifyOperator(task_id=task_id, check=check, load_id=as_text, doc_md=DOC[task_id], **arguments)

    produce_batches = ProduceBatchesOperator(
        task_id="produce_batches",
        contract=contract,
        load_id=as_text,
        execution_timeout=LONG_STEP,
        doc_md=DOC["produce_batches"],
    )
    consume_stream = ConsumeStreamOperator(
        task_id="consume_stream",
        contract=contract,
        load_id=as_text,
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
