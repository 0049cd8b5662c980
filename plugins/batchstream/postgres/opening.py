"""Opens a load: makes missing tables, sees to it that one dataset has one load at a time, writes the ledger row."""

import logging
import time

import psycopg
from psycopg import errors, sql

from batchstream.contract.model import Contract, Publish
from batchstream.errors import LoadError
from batchstream.postgres import columns, ledger, obstacles, rights, swap, target, templates

KEPT_LOADS = 5
"""Landing tables and checkpoints of this many loads of a dataset are kept, the newest included."""

KEPT_DAYS = 30
"""Quarantine and inbox of closed loads are kept this long."""

WAIT_SECONDS = 600
"""How long a run waits for another run of the same dataset before it stops with a message."""

POLL_SECONDS = 1

log = logging.getLogger(__name__)


def make_tables(connection: psycopg.Connection, contract: Contract) -> None:
    """Make what is missing: ledger, inbox, quarantine, and for a dataset that is published by a swap its view.

    The table of one that is published by a merge comes with its first load.

    Raises:
        ContractError: The target exists with other columns than the contract's.
    """
    with connection.transaction():
        # CREATE ... IF NOT EXISTS is not safe against itself in another session.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('batchstream.tables', 0))")
        rights.require_checker(connection)
        connection.execute(templates.ledger_tables())
        found = swap.kind_of(connection, templates.target(contract))
        if contract.publish is Publish.SWAP:
            swap.make_view(connection, contract)
        elif found not in (None, "r"):
            raise swap.wrong_kind(contract, str(found))
        elif found:
            obstacles.require_none(connection, contract)
        if found or contract.publish is Publish.SWAP:
            columns.compare(connection, contract)
        if contract.publish is Publish.MERGE:
            if found:
                target.complete(connection, contract)
            swap.forget(connection, contract)


def open_load(connection: psycopg.Connection, contract: Contract, run_id: str, *, wait_seconds: float = WAIT_SECONDS) -> int:
    """Open a load for a run and make its landing table.

    A load of another run that is in progress is waited for. One whose run shows no sign of life (no working task, and
    none seen for `ledger.LEASE_SECONDS`) was killed: it is marked as failed, so that whatever is left of it is refused.

    Returns:
        The new load's id.

    Raises:
        LoadError: Another run of this dataset is still working after `wait_seconds`.
    """
    deadline = time.monotonic() + wait_seconds
    told: int | None = None
    while True:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [contract.name])
            blocking = _give_up_dead_loads(connection, contract, run_id)
            if blocking is None:
                load_id = _insert(connection, contract, run_id)
                connection.execute(templates.landing_table(contract, load_id))
                _remove_old(connection, contract)
        if blocking is None:
            # Also those from before the dataset came to be published by a merge.
            if swap.kind_of(connection, templates.published(contract)) is not None:
                swap.remove_old(connection, contract, KEPT_LOADS)
            return load_id
        if time.monotonic() > deadline:
            raise LoadError(f"{blocking[1]}; waited {wait_seconds:.0f} s: run again when it has ended")
        if told != blocking[0]:
            log.info("waiting: %s", blocking[1])
            told = blocking[0]
        time.sleep(POLL_SECONDS)


def _give_up_dead_loads(connection: psycopg.Connection, contract: Contract, run_id: str) -> tuple[int, str] | None:
    """Mark killed loads as failed; return the id and a description of one that lives."""
    rows = connection.execute(
        "SELECT load_id, run_id, state, extract(epoch FROM clock_timestamp() - seen_at)::int, "
        "pg_try_advisory_xact_lock(load_id) "
        "FROM batchstream.loads WHERE dataset = %s AND state NOT IN ('published', 'failed') ORDER BY load_id",
        [contract.name],
    ).fetchall()
    for load_id, other_run, state, idle_seconds, idle in rows:
        if other_run == run_id:
            reason = "the same run opened another load"
        elif not idle or idle_seconds < ledger.LEASE_SECONDS:
            return load_id, (
                f"load {load_id} of {contract.name}, run {other_run}, is in progress ({state}, seen {idle_seconds} s ago)"
            )
        else:
            reason = f"run {other_run} was killed or lost: {state}, then no sign of life for {idle_seconds} s"
        ledger.note_failure(connection, load_id, reason)
        ledger.transition(connection, load_id, ledger.State.FAILED)
        connection.execute("UPDATE batchstream.loads SET closed_at = clock_timestamp() WHERE load_id = %s", [load_id])
        log.warning("load %s given up: %s", load_id, reason)
    return None


def _insert(connection: psycopg.Connection, contract: Contract, run_id: str) -> int:
    row = connection.execute(
        "INSERT INTO batchstream.loads (dataset, run_id, contract_version, source_path, topic) "
        "VALUES (%s, %s, %s, %s, %s) RETURNING load_id",
        [contract.name, run_id, contract.version, str(contract.source.path), contract.topic.name],
    ).fetchone()
    if row is None:
        raise LoadError(f"the ledger gave no id for a new load of {contract.name}: start a new run")
    return int(row[0])


def _remove_old(connection: psycopg.Connection, contract: Contract) -> None:
    """Drop landings beyond `KEPT_LOADS`, and what is older than `KEPT_DAYS` from quarantine and inbox."""
    old = connection.execute(
        "SELECT load_id FROM batchstream.loads WHERE dataset = %s ORDER BY load_id DESC OFFSET %s",
        [contract.name, KEPT_LOADS],
    ).fetchall()
    for (load_id,) in old:
        landing = templates.landing(contract, load_id)
        shown = connection.execute(
            "SELECT relispartition FROM pg_class WHERE oid = to_regclass(%s)", [landing.as_string(connection)]
        ).fetchone()
        if shown == (True,):
            continue  # Readers may see it: swap.remove_old drops it.
        try:
            with connection.transaction():
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(landing))
        except errors.LockNotAvailable:
            log.warning("landing of load %s is in use; it goes with a later load", load_id)
    for table in ("quarantine", "batches"):
        connection.execute(
            sql.SQL(
                "DELETE FROM {} AS t USING batchstream.loads AS l WHERE l.load_id = t.load_id AND l.dataset = %s "
                "AND l.closed_at < now() - make_interval(days => %s)"
            ).format(sql.Identifier("batchstream", table)),
            [contract.name, KEPT_DAYS],
        )
