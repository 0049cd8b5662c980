"""The ledger: one row a load, few states, and every transition a guarded UPDATE.

``opened → produced → landed → verified → published``, and ``failed`` from any of them but the last.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from batchstream.errors import LoadError

LEASE_SECONDS = 30
"""How long a load without a working task counts as alive: longer than the pause between two tasks or two tries."""


class State(StrEnum):
    """How far a load has come."""

    OPENED = "opened"
    PRODUCED = "produced"
    LANDED = "landed"
    VERIFIED = "verified"
    PUBLISHED = "published"
    FAILED = "failed"


# A state may follow itself, so that a task which did its work and then reported failure can be tried again.
_FROM: dict[State, tuple[State, ...]] = {
    State.OPENED: (State.OPENED,),
    State.PRODUCED: (State.OPENED, State.PRODUCED),
    State.LANDED: (State.PRODUCED, State.LANDED),
    State.VERIFIED: (State.LANDED, State.VERIFIED),
    State.PUBLISHED: (State.VERIFIED,),
    State.FAILED: (State.OPENED, State.PRODUCED, State.LANDED, State.VERIFIED),
}
_IN_PROGRESS = [State.OPENED, State.PRODUCED, State.LANDED, State.VERIFIED]


def transition(connection: psycopg.Connection, load_id: int, to: State, **facts: Any) -> None:
    """Move a load to the state `to` and note what its stage says.

    Args:
        connection: Runs inside the caller's transaction, so that the state changes with the work it stands for.
        load_id: The load.
        to: The new state.
        facts: Columns of ``batchstream.loads`` and their values.

    Raises:
        LoadError: The load is not in a state from which it may get there; it was given up, superseded or published.
    """
    stamp = [] if to in (State.OPENED, State.FAILED) else [sql.Identifier(f"{to}_at")]
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in facts]
    assignments += [sql.SQL("{} = clock_timestamp()").format(name) for name in stamp]
    statement = sql.SQL("UPDATE batchstream.loads SET {} WHERE load_id = %(load_id)s AND state = ANY(%(allowed)s)").format(
        sql.SQL(", ").join([sql.SQL("state = %(to)s, seen_at = clock_timestamp()"), *assignments])
    )
    parameters = {**facts, "load_id": load_id, "to": to, "allowed": [str(state) for state in _FROM[to]]}
    if connection.execute(statement, parameters).rowcount != 1:
        raise LoadError(_refusal(connection, load_id, to))


def require_state(connection: psycopg.Connection, load_id: int, *states: State) -> None:
    """Hold the load in one of `states` until the caller's transaction ends, so that nobody gives it up meanwhile.

    Raises:
        LoadError: It is in another state; a late writer is stopped here.
    """
    row = connection.execute(
        "SELECT 1 FROM batchstream.loads WHERE load_id = %s AND state = ANY(%s) FOR SHARE",
        [load_id, [str(state) for state in states]],
    ).fetchone()
    if row is None:
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


def note_failure(connection: psycopg.Connection, load_id: int, reason: str) -> None:
    """Note why a load fails, unless a reason is there already: the first one is the cause, later ones are its effects."""
    connection.execute(
        "UPDATE batchstream.loads SET reason = %s WHERE load_id = %s AND reason IS NULL AND state <> 'published'",
        [reason, load_id],
    )


def forget_failure(connection: psycopg.Connection, load_id: int) -> None:
    """Forget the reason of a try that failed, at the start of the next one."""
    connection.execute(
        "UPDATE batchstream.loads SET reason = NULL, seen_at = clock_timestamp() WHERE load_id = %s AND state = ANY(%s)",
        [load_id, [str(state) for state in _IN_PROGRESS]],
    )


def note_alive(connection: psycopg.Connection, load_id: int) -> None:
    """Note a sign of life. The server's log is written in order, so this commit also saves every commit before it."""
    with connection.transaction():
        connection.execute("UPDATE batchstream.loads SET seen_at = clock_timestamp() WHERE load_id = %s", [load_id])


def close(connection: psycopg.Connection, load_id: int, *, reason: str | None) -> State:
    """Close the ledger row: a load that was not published has failed.

    The reason of a red run stands beside a load that was published before the run turned red.

    Returns:
        The final state.
    """
    with connection.transaction():
        state = State(read(connection, load_id)["state"])
        if state in _IN_PROGRESS:
            note_failure(connection, load_id, reason or f"the run ended while the load was {state}")
            transition(connection, load_id, State.FAILED)
            state = State.FAILED
        elif reason and state is State.PUBLISHED:
            connection.execute("UPDATE batchstream.loads SET reason = %s WHERE load_id = %s", [reason, load_id])
        connection.execute(
            "UPDATE batchstream.loads SET closed_at = coalesce(closed_at, clock_timestamp()) WHERE load_id = %s",
            [load_id],
        )
    return state


@contextmanager
def working_on(connection: psycopg.Connection, load_id: int) -> Iterator[None]:
    """Show other runs that this load has a living worker, by a session-level advisory lock.

    The server drops the lock with the connection, so a killed worker stops counting as alive at once. Shared: a retry and
    the late half of the try before it may hold it together.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_lock_shared(%s)", [load_id])
        forget_failure(connection, load_id)
    yield
    with connection.transaction():
        note_alive(connection, load_id)
        connection.execute("SELECT pg_advisory_unlock_shared(%s)", [load_id])
