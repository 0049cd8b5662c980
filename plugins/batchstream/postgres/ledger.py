"""The ledger: one row a load, few states, and every step a guarded function of the database (``sql/ledger``).

``opened → produced → landed → verified → published``, and ``failed`` from any of them but the last. The loading role has no
right to write the row itself.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from batchstream.errors import LoadError
from batchstream.postgres import locks


class State(StrEnum):
    """How far a load has come."""

    OPENED = "opened"
    PRODUCED = "produced"
    LANDED = "landed"
    VERIFIED = "verified"
    PUBLISHED = "published"
    FAILED = "failed"


# What `batchstream.transition` says when it moved nothing.
_REFUSALS = {
    "superseded": "a newer try of produce_batches has begun: its batches count, this one's don't",
    "source": "the source has another content than the try before read, and some of that may have landed: start a new run",
    "verdicts": "not every check of it is green for the rows that have landed: run the checks, or start a new run",
}


def transition(connection: psycopg.Connection, load_id: int, to: State, **facts: Any) -> None:
    """Move a load to the state `to` and note what its stage says.

    A state may follow itself, so that a task which did its work and then reported failure can be tried again.

    Args:
        connection: Runs inside the caller's transaction, so that the state changes with the work it stands for.
        load_id: The load.
        to: The new state.
        facts: Columns of ``batchstream.loads`` and their values, as the function in ``sql/ledger`` allows them for this state.

    Raises:
        LoadError: The load is not in a state from which it may get there; it was given up, superseded or published.
    """
    row = connection.execute("SELECT batchstream.transition(%s, %s, %s)", [load_id, str(to), Jsonb(facts)]).fetchone()
    refused = row[0] if row else "state"
    if refused in _REFUSALS:
        raise LoadError(f"load {load_id}: {_REFUSALS[refused]}")
    if refused is not None:
        raise LoadError(_refusal(connection, load_id, to))


def require_state(connection: psycopg.Connection, load_id: int, *states: State) -> None:
    """Hold the load in one of `states` until the caller's transaction ends, so that nobody gives it up meanwhile.

    Raises:
        LoadError: It is in another state; a late writer is stopped here.
    """
    held = connection.execute("SELECT batchstream.hold_load(%s, %s)", [load_id, [str(state) for state in states]]).fetchone()
    if held != (True,):
        raise LoadError(_refusal(connection, load_id, states[-1]))


def _refusal(connection: psycopg.Connection, load_id: int, wanted: State) -> str:
    row = connection.execute(
        "SELECT dataset, run_id, state, reason FROM batchstream.loads WHERE load_id = %s", [load_id]
    ).fetchone()
    if row is None:
        return f"load {load_id} is not in the ledger: start a new run"
    dataset, run_id, state, reason = row
    because = f" ({reason})" if reason else ""
    return f"load {load_id} of {dataset}, run {run_id}, is {state}{because} and can't become {wanted}: start a new run"


def read(connection: psycopg.Connection, load_id: int) -> dict[str, Any]:
    """The ledger row of a load.

    Raises:
        LoadError: There is none.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("SELECT * FROM batchstream.loads WHERE load_id = %s", [load_id]).fetchone()
    if row is None:
        raise LoadError(_refusal(connection, load_id, State.OPENED))
    return row


def newest_of_run(
    connection: psycopg.Connection, dataset: str, installation: str, dag_id: str, run_id: str
) -> dict[str, Any] | None:
    """The ledger row of the last load that a run opened of a dataset."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT * FROM batchstream.loads WHERE dataset = %s AND installation = %s AND dag_id = %s AND run_id = %s "
            "ORDER BY load_id DESC LIMIT 1",
            [dataset, installation, dag_id, run_id],
        ).fetchone()


def newer(connection: psycopg.Connection, dataset: str, load_id: int) -> int | None:
    """The first load of a dataset after another one that has not failed."""
    row = connection.execute(
        "SELECT min(load_id) FROM batchstream.loads WHERE dataset = %s AND load_id > %s AND state <> 'failed'",
        [dataset, load_id],
    ).fetchone()
    return row[0] if row else None


def begin_attempt(connection: psycopg.Connection, load_id: int) -> int:
    """Begin a try of producing a load's batches; of all tries the one that is noted with *produced* counts.

    Raises:
        LoadError: The load has come further, or was given up.
    """
    row = connection.execute("SELECT batchstream.begin_attempt(%s)", [load_id]).fetchone()
    if row is None or row[0] is None:
        raise LoadError(_refusal(connection, load_id, State.PRODUCED))
    return int(row[0])


def secret(connection: psycopg.Connection, load_id: int) -> bytes:
    """What the messages of a load are signed with.

    Raises:
        LoadError: There is no such load.
    """
    row = connection.execute("SELECT secret FROM batchstream.load_secrets WHERE load_id = %s", [load_id]).fetchone()
    if row is None:
        raise LoadError(f"load {load_id} has no secret in the ledger, so its messages can't be told: start a new run")
    return bytes(row[0])


def note_failure(connection: psycopg.Connection, load_id: int, reason: str, *, for_good: bool = False) -> None:
    """Note why a load fails, unless a reason is there already: the first one is the cause, later ones are its effects.

    Args:
        connection: Of any role of a load.
        load_id: The load.
        reason: A sentence, without characters that PostgreSQL can't store.
        for_good: Whether a retry would fail for the same reason.
    """
    connection.execute("SELECT batchstream.note_failure(%s, %s, %s)", [load_id, reason.replace("\0", "\\x00"), for_good])


def note_verdict(connection: psycopg.Connection, load_id: int, check: str, *, passed: bool, message: str) -> None:
    """Note what a check says of the rows that have landed; the last word of each check counts.

    Args:
        connection: Of the owning role: who loads can't judge the load.
        load_id: The load.
        check: The name of the check.
        passed: The verdict.
        message: What the check says.
    """
    connection.execute(
        "INSERT INTO batchstream.verdicts (load_id, check_name, passed, message, landing_rows) "
        "SELECT load_id, %s, %s, %s, landed_records FROM batchstream.loads WHERE load_id = %s AND landed_records IS NOT NULL "
        "ON CONFLICT (load_id, check_name) DO UPDATE SET passed = excluded.passed, message = excluded.message, "
        "landing_rows = excluded.landing_rows, measured_at = clock_timestamp()",
        [str(check), passed, message, load_id],
    )


def note_alive(connection: psycopg.Connection, load_id: int) -> None:
    """Note a sign of life. The server's log is written in order, so this commit also saves every commit before it."""
    connection.execute("SELECT batchstream.note_alive(%s)", [load_id])


def close(connection: psycopg.Connection, load_id: int, *, reason: str | None) -> State:
    """Close the ledger row: a load that was not published has failed.

    The reason of a red run stands beside a load that was published before the run turned red.

    Returns:
        The final state.

    Raises:
        LoadError: There is no such load.
    """
    row = connection.execute("SELECT batchstream.close_load(%s, %s)", [load_id, reason]).fetchone()
    if row is None or row[0] is None:
        raise LoadError(_refusal(connection, load_id, State.FAILED))
    return State(row[0])


@contextmanager
def working_on(connection: psycopg.Connection, load_id: int) -> Iterator[None]:
    """Show other runs that this load has a living worker, by a session-level advisory lock; forget why a try before failed.

    The server drops the lock with the connection, so a killed worker stops counting as alive at once.
    """
    locks.working(connection, load_id)
    connection.execute("SELECT batchstream.forget_failure(%s)", [load_id])
    yield
    note_alive(connection, load_id)
    locks.stop_working(connection, load_id)


def reopen(connection: psycopg.Connection, load_id: int, landed: int, version: str, text: str, sha256: str) -> None:
    """Bring a failed load back to *landed* with further records, for its checks to look at it again.

    Args:
        connection: Of the owning role, in the transaction that lands these records.
        load_id: The load.
        landed: How many records came to those that had landed.
        version: Of the contract that the load goes by from now on.
        text: Of that contract.
        sha256: Of that text.
    """
    connection.execute("SELECT batchstream.reopen_load(%s, %s, %s, %s, %s)", [load_id, landed, version, text, sha256])


def note_own_types(connection: psycopg.Connection, load_id: int, types: Mapping[str, Any]) -> None:
    """Note what the database says by now of the types that a replayed load's contract names, as the owning role."""
    connection.execute(
        "UPDATE batchstream.loads SET own_types = %s WHERE load_id = %s", [Jsonb(dict(types)) if types else None, load_id]
    )
