"""The nine steps of a reload, each a task of the DAG or the task group in whose ``with`` it is called; a tenth runs nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from airflow.sdk import Asset, BaseOperator, XComArg, get_current_context, task

from batchstream.airflow.consume import ConsumeStreamOperator
from batchstream.airflow.docs import DOC
from batchstream.airflow.failures import callbacks
from batchstream.airflow.marker import ReloadPublished
from batchstream.airflow.produce import ProduceBatchesOperator
from batchstream.airflow.verify import VerifyOperator
from batchstream.contract import Contract, load_contract

Operator = TypeVar("Operator", bound=BaseOperator)

DEFAULTS: dict[str, Any] = {
    "owner": "batchstream",
    "retries": 2,
    # Shorter than opening.LEASE_SECONDS, so that a load between two tries still counts as alive.
    "retry_delay": timedelta(seconds=5),
    "execution_timeout": timedelta(minutes=15),
}
"""Of each step, where neither the call nor the DAG or the task group around it says otherwise."""

LONG_STEP = timedelta(hours=2)


class Reload:
    """Makes the steps of one contract's reload, one by one.

    Each method makes one task. It takes further arguments of Airflow's operators, such as ``pool`` or ``task_id``. Chain all nine
    in the order of the methods, with tasks of your own between them. The ledger guards the order: a step that comes too early
    fails, and nothing is published without both verdicts.

    Args:
        contract: The contract's file, or the contract.
        table: Which of its tables, if it has several.

    Raises:
        ContractError: The contract has a mistake.
    """

    def __init__(self, contract: Path | str | Contract, table: str | None = None) -> None:
        self._contract = contract if isinstance(contract, Contract) else load_contract(Path(contract), table)

    def open_load(self, **arguments: Any) -> XComArg:
        """Open a load, and return the ``load_id`` that all other steps take, and tasks of your own may take."""
        contract = self._contract

        def open_load() -> int:
            from batchstream.airflow import tasks

            return tasks.open_load(contract, get_current_context())

        return _function(open_load, None, arguments)

    def create_topic(self, load_id: XComArg, **arguments: Any) -> XComArg:
        """Make the topic, or compare it with the contract."""

        def create_topic(load_id: Any) -> None:
            from batchstream.airflow import tasks

            tasks.create_topic(load_id)

        return _function(create_topic, load_id, arguments, load_id=load_id)

    def produce_batches(self, load_id: XComArg, **arguments: Any) -> BaseOperator:
        """Read the source and send it; green when the broker has acknowledged every batch."""
        arguments = {"execution_timeout": LONG_STEP, **arguments}
        operator = ProduceBatchesOperator(contract=self._contract, load_id=_text(load_id), **_named("produce_batches", arguments))
        return _finished(operator, load_id, arguments)

    def consume_stream(self, load_id: XComArg, **arguments: Any) -> BaseOperator:
        """Land the load by Spark."""
        arguments = {"execution_timeout": LONG_STEP, **arguments}
        operator = ConsumeStreamOperator(contract=self._contract, load_id=_text(load_id), **_named("consume_stream", arguments))
        return _finished(operator, load_id, arguments)

    def verify_row_count(self, load_id: XComArg, **arguments: Any) -> BaseOperator:
        """Compare the counts of all stages."""
        return self._verify("verify_row_count", "row_count", load_id, arguments)

    def verify_columns(self, load_id: XComArg, **arguments: Any) -> BaseOperator:
        """Measure the contract's quality rules over what has landed."""
        return self._verify("verify_columns", "columns", load_id, arguments)

    def publish_load(self, load_id: XComArg, **arguments: Any) -> XComArg:
        """Make the published table equal to what has landed, and return how many rows changed."""

        def publish_load(load_id: Any) -> dict[str, int]:
            from batchstream.airflow import tasks

            return tasks.publish_load(load_id)

        return _function(publish_load, load_id, {"execution_timeout": LONG_STEP, **arguments}, load_id=load_id)

    def verify_published(self, load_id: XComArg, **arguments: Any) -> BaseOperator:
        """Count what readers see now, and emit the asset event: it means *verified*."""
        outlets = [Asset(name=self._contract.handle), *arguments.pop("outlets", [])]
        verified = self._verify("verify_published", "published", load_id, {**arguments, "outlets": outlets})
        # Airflow judges a run by its last tasks. This one runs nothing, and is green only where the publish was verified: also if
        # somebody marks close_load as success before it has looked.
        own_id = f"{arguments['task_id']}_done" if "task_id" in arguments else "reload_published"
        marker = ReloadPublished(dataset=self._contract.name, task_id=own_id, doc_md=DOC["reload_published"])
        verified >> _with_defaults(marker, {})
        return verified

    def close_load(self, load_id: XComArg, **arguments: Any) -> XComArg:
        """Close the ledger row whatever happened. A teardown: a run that published nothing is red."""
        opening = _operator(load_id).task_id

        def close_load(*, ti: Any = None, run_id: Any = None) -> None:
            from batchstream.airflow import tasks

            tasks.close_load(ti.xcom_pull(task_ids=opening), tasks.failed_tasks(ti, run_id, opening))

        made = _function(close_load, load_id, arguments)
        # A run that published nothing is never green, whoever marked its tasks as what.
        made.as_teardown(on_failure_fail_dagrun=True)
        return made

    def all(self) -> None:
        """Make all of them, one after the other."""
        load_id = self.open_load()
        (
            self.create_topic(load_id)
            >> self.produce_batches(load_id)
            >> self.consume_stream(load_id)
            >> self.verify_row_count(load_id)
            >> self.verify_columns(load_id)
            >> self.publish_load(load_id)
            >> self.verify_published(load_id)
            >> self.close_load(load_id)
        )

    def _verify(self, step: str, check: str, load_id: XComArg, arguments: dict[str, Any]) -> VerifyOperator:
        return _finished(
            VerifyOperator(contract=self._contract, check=check, load_id=_text(load_id), **_named(step, arguments)),
            load_id,
            arguments,
        )


def _function(function: Any, opened: XComArg | None, arguments: dict[str, Any], **values: Any) -> XComArg:
    made: XComArg = task(**_named(function.__name__, arguments))(function)(**values)
    _finished(_operator(made), opened or made, arguments)
    return made


def _named(step: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"task_id": step, "doc_md": DOC[step], **arguments}


def _finished(operator: Operator, opened: XComArg, arguments: dict[str, Any]) -> Operator:
    """An operator of a step, with our defaults and callbacks."""
    _with_defaults(operator, arguments)
    # The ledger has to know why a task failed: ours come first, whatever those of a user do.
    note_failure, note_retry = callbacks(_operator(opened).task_id)
    operator.on_failure_callback = [note_failure, *operator.on_failure_callback]
    operator.on_retry_callback = [note_retry, *operator.on_retry_callback]
    return operator


def _with_defaults(operator: Operator, arguments: dict[str, Any]) -> Operator:
    group = operator.task_group
    given = {**operator.dag.default_args, **(group.default_args if group else {}), **arguments}
    for name, ours in DEFAULTS.items():
        if name not in given:
            setattr(operator, name, ours)
    return operator


def _operator(made: XComArg) -> Any:
    operator, _ = next(made.iter_references())
    return operator


def _text(load_id: XComArg) -> str:
    """As a template, which draws no second arrow to each step in the DAG's graph."""
    return f"{{{{ ti.xcom_pull(task_ids='{_operator(load_id).task_id}') }}}}"
