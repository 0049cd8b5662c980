"""What became of a run: its own load, whether it was published, and why not."""

import signal
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from batchstream.cli.dags_test import Outcome
from batchstream.contract import Contract
from batchstream.local import metadata
from batchstream.local.environment import ledger_name
from batchstream.local.installation import Installation
from batchstream.postgres import names


@dataclass(frozen=True)
class Verdict:
    """A run's end.

    Attributes:
        load: The ledger's row of this run's load; None if none was opened, or the ledger can't be asked.
        reason: Why the run is red, and what to do; None if it published its load and is green.
    """

    load: dict[str, Any] | None
    reason: str | None


def judge(installation: Installation, ledger: psycopg.Connection | None, contract: Contract, outcome: Outcome) -> Verdict:
    """The verdict over a run that has ended, by Airflow's records and the ledger.

    Args:
        installation: In whose PostgreSQL Airflow has its records.
        ledger: A connection to the database with the ledger; None if it can't be reached.
        contract: Of the data set.
        outcome: What `dags_test` saw.
    """
    with installation.postgres.connect(names.AIRFLOW) as airflow:
        found = metadata.find(airflow, contract.dag_id, outcome.logical_date)
    load = None if found is None or ledger is None else _load(ledger, contract, found, ledger_name(installation.state))
    published = load is not None and load["published_at"] is not None
    if published and outcome.status == 0:
        return Verdict(load, None)
    reason = " ".join(_cause(outcome, load).split())
    if published and load is not None:
        reason = f"load {load['load_id']} was published, and then the run failed: {reason}"
    return Verdict(load, f"{reason} (everything that was printed: {outcome.log_file})")


def _cause(outcome: Outcome, load: dict[str, Any] | None) -> str:
    """The first final failure is the cause; what fails after it is an effect."""
    final = [failure for failure in outcome.failures if failure.final]
    noted = (load or {}).get("reason")
    if final:
        return f"{final[0].task_id}: {final[0].reason}"
    if outcome.status < 0:
        return f"airflow dags test was ended by {signal.Signals(-outcome.status).name}: run again"
    if noted:
        return str(noted)
    if load is not None and outcome.status == 0:
        return f"the run ended, and load {load['load_id']} is {load['state']} and not published: run again"
    if outcome.status == 0:
        return "the run ended as if all were well, but no load of it is in the ledger: see the log, and run again"
    if outcome.last_words:
        return f"airflow dags test ended with {outcome.last_words}"
    return f"airflow dags test ended with exit status {outcome.status} and no message: run again"


def _load(connection: psycopg.Connection, contract: Contract, run: metadata.DagRun, installation: str) -> dict[str, Any] | None:
    """The load of a run; of those that its retries opened, the last."""
    with connection.cursor(row_factory=dict_row) as cursor:
        if cursor.execute("SELECT to_regclass('batchstream.loads') AS found").fetchone() == {"found": None}:
            return None
        return cursor.execute(
            "SELECT * FROM batchstream.loads WHERE dataset = %s AND dag_id = %s AND run_id = %s AND installation = %s "
            "ORDER BY load_id DESC LIMIT 1",
            [contract.name, run.dag_id, run.run_id, installation],
        ).fetchone()
