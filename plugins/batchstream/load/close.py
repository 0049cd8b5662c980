"""Closes a load, whatever happened to it."""

from collections.abc import Sequence

from psycopg import errors

from batchstream.errors import LoadError, errors_about
from batchstream.load.engines import Engines
from batchstream.postgres import ledger
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.failures import postgres_errors


def close_load(engines: Engines, load_id: int, failed_tasks: Sequence[str] = ()) -> None:
    """Close the ledger row.

    Args:
        engines: Where the ledger is.
        load_id: The load.
        failed_tasks: Names of the tasks that failed, for a load of which nothing better is known.

    Raises:
        LoadError: The load was not published, or a task failed, be it after the publish: its run must not be green. Airflow
            judges a run by its last task alone, and that is the one that calls this.
    """
    because = f"failed: {', '.join(failed_tasks)}" if failed_tasks else None
    with (
        errors_about(load_id=load_id) as known,
        connect(engines.loader, application_name="batchstream close_load") as connection,
        postgres_errors(f"load {load_id}: closing it", connection),
    ):
        state = ledger.close(connection, load_id, reason=because)
        load = ledger.read(connection, load_id)
        known["dataset"] = load["dataset"]
        if state is not ledger.State.PUBLISHED:
            raise LoadError(f"load {load_id} of {load['dataset']} was not published: {load['reason']}")
        if because:
            raise LoadError(f"load {load_id} of {load['dataset']} was published, and then its run {because}")


def unpublished(loader: PostgresSettings, installation: str, dag_id: str, run_id: str, datasets: Sequence[str]) -> str | None:
    """Say why a run must not be green, or return None if its newest load of each dataset was published.

    Args:
        loader: Where the ledger is.
        installation: Which Airflow's run.
        dag_id: Its DAG.
        run_id: Its name.
        datasets: What it has to publish.
    """
    with connect(loader, application_name="batchstream listener") as connection, postgres_errors("the ledger", connection):
        for dataset in datasets:
            try:
                load = ledger.newest_of_run(connection, dataset, installation, dag_id, run_id)
            except errors.UndefinedTable:
                # The first load of all makes the ledger.
                load = None
            if load is None:
                return f"{dataset} was not published: no load of this run is in the ledger; start a new run"
            if load["state"] != ledger.State.PUBLISHED:
                because = load["reason"] or f"it is {load['state']}"
                return f"load {load['load_id']} of {dataset} was not published: {because}; start a new run"
    return None
