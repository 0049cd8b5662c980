"""The nine steps of a contract as a DAG of their own, or as a group in somebody's DAG."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param, TaskGroup

from batchstream.airflow.docs import DOC
from batchstream.airflow.steps import Reload
from batchstream.contract import Contract, load_contract

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


def build_pipeline(contract: Contract, **arguments: Any) -> DAG:
    """The DAG that reloads one dataset.

    Args:
        contract: The dataset's.
        arguments: See `batchstream.airflow.make_dags`.
    """
    own: dict[str, Any] = {
        "description": f"Reloads {contract.name} through Kafka and Spark into PostgreSQL, verified before anyone sees it",
        # In this order: a text that ends in .md is the name of a file to Airflow.
        "doc_md": f"{contract.description}\n\n{DOC['dag']}",
        # With one in the past, a new DAG would be run at once, for its last time before now.
        "start_date": START if contract.schedule in WITHOUT_TIMES else None,
        "catchup": False,
        "max_active_runs": 1,
        "is_paused_upon_creation": False,
        # The DAG files say which of them show it.
        "auto_register": False,
    }
    added = {
        "params": {**PARAMETERS, **arguments.pop("params", {})},
        "tags": ["batchstream", contract.name, *arguments.pop("tags", [])],
    }
    schedule = arguments.pop("schedule", _schedule(contract))
    with DAG(dag_id=contract.dag_id, schedule=schedule, **{**own, **arguments, **added}) as dag:
        Reload(contract).all()
    return dag


def reload_group(contract: Path | str, group_id: str | None = None, table: str | None = None, **arguments: Any) -> TaskGroup:
    """The steps of a reload as a task group of the DAG in whose ``with`` it is called.

    What follows the group starts when the load is published and looked at. A parameter ``allow_changes`` of that DAG counts.

    Args:
        contract: The contract's file.
        group_id: Of the group; the dataset's handle by default, which is its name if that is plain.
        table: Which of its tables, if the contract has several.
        arguments: Further arguments of the `TaskGroup`, such as ``default_args``.

    Raises:
        ContractError: The contract has a mistake.
    """
    found = load_contract(Path(contract), table)
    with TaskGroup(group_id=group_id or found.handle, **arguments) as group:
        Reload(found).all()
    return group


def _schedule(contract: Contract) -> CronTriggerTimetable | str | None:
    if contract.schedule is None or contract.schedule in WITHOUT_TIMES:
        return contract.schedule
    return CronTriggerTimetable(contract.schedule, timezone="UTC", run_immediately=LATE)
