"""The steps of a reload that are plain functions: what Airflow knows of a run, given to the use cases."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.sdk import DagRunState
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException

from batchstream.airflow.connections import POSTGRES_OWNER, installation, postgres_settings
from batchstream.airflow.engines import engines
from batchstream.airflow.failures import airflow_errors, with_airflow_errors
from batchstream.airflow.places import opened_place
from batchstream.contract import Contract, run_path
from batchstream.errors import BatchstreamError, BusyError, LoadError, SourceAwaitedError
from batchstream.load import close, open, publish, topic
from batchstream.postgres.opening import Run

log = logging.getLogger(__name__)

RESCHEDULE_SECONDS = 20
"""A run that waits for another one looks again after this time, and holds no slot meanwhile.

Airflow takes a task for killed that begins again before a busy scheduler has noted that it stepped back: seen with 5 seconds.
"""

AWAIT_SECONDS = 60
"""The same of a run that waits for its source. Each look starts a process, and files come late by minutes or hours."""

USER_OF_DAGS_TEST = "dag_test"
"""Airflow's name for who triggers the run of ``airflow dags test``, which no scheduler looks after."""

MAX_WAIT = timedelta(days=1)

PARAMETERS = ("allow_changes", "override_checks")
"""Parameters of a run that the ledger notes where they are given."""


def open_load(contract: Contract, context: Any) -> int:
    """Open a load; while its source is missing or another run of the data set is working, step back and try again later."""
    now = datetime.now(UTC)
    waited = now - (context["ti"].get_first_reschedule_date(context) or now)
    owner = postgres_settings(POSTGRES_OWNER)
    try:
        with airflow_errors():
            return open.open_load(
                owner,
                contract,
                _run(context),
                wait_seconds=1,
                waited_seconds=waited.total_seconds(),
                places=opened_place,
            )
    except BusyError as error:
        if waited > MAX_WAIT + timedelta(minutes=contract.source.wait_minutes):
            raise AirflowFailException(str(error)) from error
        _step_back(RESCHEDULE_SECONDS, error)
    except SourceAwaitedError as error:
        _step_back(AWAIT_SECONDS, error)


def _step_back(seconds: int, error: BatchstreamError) -> NoReturn:
    log.info("waiting: %s", error)
    raise AirflowRescheduleException(datetime.now(UTC) + timedelta(seconds=seconds)) from error  # type: ignore[no-untyped-call]


def _run(context: Any) -> Run:
    ti = context["ti"]

    def state_of(dag_id: str, run_id: str) -> str | None:
        if ti.get_dr_count(dag_id=dag_id, run_ids=[run_id]) == 0:
            return "deleted"
        # An enum of Airflow's, whose text is not its value.
        return str(DagRunState(ti.get_dagrun_state(dag_id, run_id)).value)

    return Run(
        run_id=context["run_id"],
        installation=installation(),
        dag_id=ti.dag_id,
        parameters={name: context["params"][name] for name in PARAMETERS if context["params"].get(name)},
        words=_words(context),
        is_scheduled=context["dag_run"].triggering_user_name != USER_OF_DAGS_TEST,
        state_of=state_of,
    )


def _words(context: Any) -> dict[str, str]:
    """What a source's path may name of a run; one that was triggered without a date has none."""
    dates = {name: context.get(name) for name in run_path.DATES}
    parameters = {f"{run_path.PARAMETER}{name}": value for name, value in dict(context["params"]).items()}
    return {name: str(value) for name, value in {**dates, **parameters}.items() if isinstance(value, str | int | float)}


@with_airflow_errors
def create_topic(load_id: int) -> None:
    """Make the topic, or compare it with the contract, and note where this load starts in it."""
    topic.create_topic(engines(), load_id)


@with_airflow_errors
def publish_load(load_id: int) -> dict[str, int]:
    """Make the target equal to the landing, in one transaction."""
    return publish.publish_load(engines(), load_id)._asdict()


@with_airflow_errors
def close_load(load_id: int | None, failed: list[str]) -> None:
    """Close the ledger row whatever happened; a run that published nothing is not green."""
    if load_id is None:
        raise LoadError("no load was opened: see the log of open_load")
    close.close_load(engines(), load_id, failed)


def failed_tasks(ti: Any, run_id: str, opening: str) -> list[str]:
    """Tasks from the opening of a load to its end that failed, a user's among them; if none did, those that couldn't run."""
    opened = ti.task.dag.get_task(opening)
    between = {opening} | opened.get_flat_relative_ids() & ti.task.get_flat_relative_ids(upstream=True)
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id]).get(run_id, {})
    found = {state: sorted(name for name in between if states.get(name) == state) for state in ("failed", "upstream_failed")}
    return found["failed"] or found["upstream_failed"]
