"""Every advisory lock of batchstream, in a key space of its own: small numbers and hashes of text are other programs', too.

PostgreSQL has two spaces of keys: one of 64 bits, and one of twice 32 bits. These are of the second; the first number says that
a lock is ours and what for, the second which data set or load.
"""

from enum import IntEnum

import psycopg

_OURS = 0x62617400
"""``bat`` in ASCII, and room for 256 kinds."""


class Kind(IntEnum):
    """What a lock is for."""

    TABLES = _OURS + 1
    OPENING = _OURS + 2
    PUBLISHING = _OURS + 3
    WORKING = _OURS + 4
    NUMBERING = _OURS + 5


def tables(connection: psycopg.Connection) -> None:
    """Let one session at a time make tables, until the transaction ends: ``CREATE … IF NOT EXISTS`` is not safe from itself."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [int(Kind.TABLES)])


def opening(connection: psycopg.Connection, dataset: str) -> None:
    """Let one session at a time open, give up or replay a load of a dataset, until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [int(Kind.OPENING), dataset])


def numbering(connection: psycopg.Connection) -> None:
    """Let one session at a time give the next load its number, until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [int(Kind.NUMBERING)])


def publishing(connection: psycopg.Connection, dataset: str) -> None:
    """Let one session at a time publish a dataset, until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [int(Kind.PUBLISHING), dataset])


def working(connection: psycopg.Connection, load_id: int) -> None:
    """Show that a load has a living worker, until the session ends or `stop_working`; shared with an earlier try."""
    connection.execute("SELECT pg_advisory_lock_shared(%s, hashint8(%s))", [int(Kind.WORKING), load_id])


def stop_working(connection: psycopg.Connection, load_id: int) -> None:
    """Take back `working`."""
    connection.execute("SELECT pg_advisory_unlock_shared(%s, hashint8(%s))", [int(Kind.WORKING), load_id])


def is_worked_on(connection: psycopg.Connection, load_id: int) -> bool:
    """Whether a load has a living worker."""
    row = connection.execute(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = "
        "current_database()) AND objsubid = 2 AND classid::bigint = %s AND objid::bigint = hashint8(%s)::bigint & 4294967295",
        [int(Kind.WORKING), load_id],
    ).fetchone()
    return row is not None
