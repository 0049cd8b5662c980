"""Where errors of the shared package become Airflow's, and the ledger learns why a try failed."""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from batchstream.airflow.connections import POSTGRES, postgres_settings
from batchstream.errors import BatchstreamError, BusyError, SourceAwaitedError, TerminalError
from batchstream.report import Failure, report

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Let Airflow retry what a retry can mend, and nothing else."""
    try:
        yield
    except TerminalError as error:
        raise AirflowFailException(str(error)) from error
    except (BusyError, SourceAwaitedError):
        raise
    except BatchstreamError as error:
        raise AirflowException(str(error)) from error


def with_airflow_errors(function: Callable[P, R]) -> Callable[P, R]:
    """`airflow_errors` as a decorator for a task's function."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with airflow_errors():
            return function(*args, **kwargs)

    return wrapped


def callbacks(opening: str) -> tuple[Callable[[Any], None], Callable[[Any], None]]:
    """What each step calls when it failed, and when it is tried again: both tell the ledger why, and who runs the DAG.

    Args:
        opening: Id of the task that opens the load. A scheduler that finds a killed task renders no argument of it.
    """

    def note_failure(context: Any) -> None:
        _note(context, opening, final=True)

    def note_retry(context: Any) -> None:
        _note(context, opening, final=False)

    return note_failure, note_retry


def _note(context: Any, opening: str, *, final: bool) -> None:
    import psycopg

    from batchstream.postgres import ledger
    from batchstream.postgres.connection import connect

    error = context.get("exception")
    report(Failure(context["ti"].task_id, str(error or "failed") or type(error).__name__, final))
    load_id = context["ti"].xcom_pull(task_ids=opening)
    if load_id is None:
        return
    task_id = context["ti"].task_id
    reason = f"{task_id}: {context.get('exception') or 'failed'}"
    try:
        with connect(postgres_settings(POSTGRES), application_name=f"batchstream {task_id}") as connection:
            ledger.note_failure(connection, load_id, reason)
    except (BatchstreamError, psycopg.Error) as error:
        # The task is red whatever happens here; close_load notes its state when PostgreSQL is back.
        log.warning("the ledger could not be told: %s", error)
