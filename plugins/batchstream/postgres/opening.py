"""Opens a load: one dataset has one load at a time, and a load belongs to one installation and one run."""

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from batchstream.contract.model import Contract
from batchstream.errors import LoadError
from batchstream.postgres import landing_table, ledger, locks
from batchstream.postgres.own_types import OwnTypes

LEASE_SECONDS = 30
"""How long a load without a working task counts as alive: longer than the pause between two tasks or two tries."""

SECRET_BYTES = 32

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """Who opens a load.

    Attributes:
        run_id: Airflow's name of the run, which each DAG has runs of.
        installation: Which Airflow that is; two of them may share a database and give runs the same name.
        dag_id: Of which DAG; two of them may reload one data set, and give runs the same name.
        parameters: What the run was asked for, such as ``allow_changes``; noted in the ledger.
        words: What stands for the words that a source's path may have, such as ``ds``.
        is_scheduled: Whether a scheduler looks after the run, so that `state_of` knows of it; not so in ``airflow dags test``.
        state_of: State in this Airflow of another run, by its DAG and its name; None if nobody can be asked.
    """

    run_id: str
    installation: str = ""
    dag_id: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    is_scheduled: bool = False
    state_of: Callable[[str, str], str | None] = lambda _dag_id, _run_id: None


class Busy(NamedTuple):
    """Another load of the dataset that is in progress.

    Attributes:
        description: Load, run, state.
        seen_at: Its last sign of life, by the server's clock.
        until_silent: Whether it counts as dead when it gives no further sign for `LEASE_SECONDS`, and nobody can be asked.
    """

    load_id: int
    description: str
    seen_at: Any
    until_silent: bool


def try_open(
    connection: psycopg.Connection,
    contract: Contract,
    run: Run,
    contract_text: str,
    silent: Mapping[int, Any],
    types: OwnTypes | None = None,
) -> int | Busy:
    """Open a load and make its landing table, unless another one is in progress.

    A load of a run that has ended, or that was killed, is marked as failed, so that whatever is left of it is refused.

    Args:
        connection: Of the owning role.
        contract: What to load.
        run: Who asks.
        contract_text: The contract file, word for word.
        silent: Loads that the caller has watched for `LEASE_SECONDS`, with the last sign of life that it saw all the time. A
            clock that was set back doesn't keep them alive.
        types: What the database says of the types that the contract alone doesn't tell.
    """
    with connection.transaction():
        locks.opening(connection, contract.name)
        busy = _give_up_dead_loads(connection, contract, run, silent)
        if busy is not None:
            return busy
        load_id = _insert(connection, contract, run, contract_text, types)
        landing_table.create(connection, contract, load_id)
    return load_id


def note_refused(connection: psycopg.Connection, contract: Contract, run: Run, reason: str) -> None:
    """Enter a load that could not be opened, so that the ledger tells of every run."""
    with connection.transaction():
        load_id = _insert(connection, contract, run, "")
        ledger.close(connection, load_id, reason=reason)


def _give_up_dead_loads(connection: psycopg.Connection, contract: Contract, run: Run, silent: Mapping[int, Any]) -> Busy | None:
    rows = connection.execute(
        "SELECT load_id, coalesce(dag_id, %s), run_id, installation, run_kind, state, seen_at, "
        "extract(epoch FROM clock_timestamp() - seen_at)::float "
        "FROM batchstream.loads WHERE dataset = %s AND state NOT IN ('published', 'failed') ORDER BY load_id",
        [run.dag_id, contract.name],
    ).fetchall()
    for load_id, dag_id, other_run, installation, run_kind, state, seen_at, idle_seconds in rows:
        description = f"load {load_id} of {contract.name}, run {other_run}, is in progress ({state})"
        ours = installation == run.installation
        same_run = ours and (dag_id, other_run) == (run.dag_id, run.run_id)
        asked = run.state_of(dag_id, other_run) if ours and run_kind == "scheduler" and not same_run else None
        if locks.is_worked_on(connection, load_id):
            return Busy(load_id, description, seen_at, until_silent=False)
        if same_run:
            reason = "the same run opened another load"
        elif asked in ("running", "queued"):
            return Busy(load_id, description, seen_at, until_silent=False)
        elif asked is not None:
            reason = f"run {other_run} has ended as {asked} and left the load {state}"
        elif idle_seconds >= LEASE_SECONDS or silent.get(load_id) == seen_at:
            silence = max(idle_seconds, LEASE_SECONDS)
            reason = f"run {other_run} was killed or lost: {state}, then no sign of life for {silence:.0f} s"
        else:
            return Busy(load_id, description, seen_at, until_silent=True)
        ledger.close(connection, load_id, reason=reason)
        log.warning("load %s given up: %s", load_id, reason)
    return None


def _insert(
    connection: psycopg.Connection, contract: Contract, run: Run, contract_text: str, types: OwnTypes | None = None
) -> int:
    # PostgreSQL's own sequence would leave out up to 32 numbers after a crash.
    locks.numbering(connection)
    row = connection.execute(
        "INSERT INTO batchstream.loads (load_id, dataset, dag_id, run_id, installation, run_kind, run_parameters, "
        "contract_version, contract_path, contract_text, contract_sha256, source_path, topic, own_types) OVERRIDING SYSTEM VALUE "
        "SELECT coalesce(max(load_id), 0) + 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM batchstream.loads "
        "RETURNING load_id",
        [
            contract.name,
            run.dag_id,
            run.run_id,
            run.installation,
            "scheduler" if run.is_scheduled else "test",
            Jsonb(dict(run.parameters)),
            contract.version,
            str(contract.path),
            contract_text,
            hashlib.sha256(contract_text.encode()).hexdigest(),
            str(contract.source.path),
            contract.topic.name,
            Jsonb(types) if types else None,
        ],
    ).fetchone()
    if row is None:
        raise LoadError(f"the ledger gave no id for a new load of {contract.name}: start a new run")
    load_id = int(row[0])
    connection.execute(
        "INSERT INTO batchstream.load_secrets (load_id, secret) VALUES (%s, %s)", [load_id, secrets.token_bytes(SECRET_BYTES)]
    )
    return load_id
