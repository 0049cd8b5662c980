"""Removes what a swap has shown before: the partitions of loads that nobody can see any more."""

import logging
import time

import psycopg
from psycopg import errors, sql

from batchstream.contract.model import Contract
from batchstream.postgres import relations

READ_SECONDS = 0.2
"""How long the transactions that read a dataset are given to end. Where one is longer, old loads are left for a later load."""

DETACH_SECONDS = 2
"""How long an old load waits for the readers that have come since."""

_ATTACHED = """
SELECT substring(c.relname FROM '[0-9]+$')::bigint, n.nspname, c.relname, i.inhdetachpending
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.inhparent = to_regclass(%s)
-- PostgreSQL detaches one partition at a time, so one whose detaching was cut off comes first.
ORDER BY i.inhdetachpending DESC, 1
"""

_READERS = """
SELECT virtualtransaction FROM pg_locks WHERE pid IS DISTINCT FROM pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND relation = ANY (%s::regclass[])
"""

log = logging.getLogger(__name__)


def remove(connection: psycopg.Connection, contract: Contract, kept_loads: int) -> None:
    """Drop shown loads that are older than the newest `kept_loads` loads, and not the one that is shown.

    A transaction that has read the dataset may still show an old load: that is detached only when all of those have ended,
    without a lock that readers would have to wait for. That can't be done inside a transaction.

    Args:
        connection: Outside of a transaction.
        contract: The dataset's.
        kept_loads: How many.
    """
    # Also those from before the dataset came to be published by a merge.
    parent = relations.partitioned_table(contract)
    attached = connection.execute(_ATTACHED, [parent.as_string(connection)]).fetchall()
    if not attached:
        return
    kept = connection.execute(
        "(SELECT load_id FROM batchstream.loads WHERE dataset = %(dataset)s ORDER BY load_id DESC LIMIT %(kept)s) UNION "
        "(SELECT load_id FROM batchstream.shown WHERE dataset = %(dataset)s ORDER BY load_id DESC LIMIT 1)",
        {"dataset": contract.name, "kept": kept_loads},
    ).fetchall()
    outdated = [row for row in attached if (row[0],) not in kept]
    if not outdated:
        return
    # One may read a partition by its own name, as pg_dump does.
    tables = [parent, *(sql.Identifier(schema, name) for _, schema, name, _ in outdated)]
    if _is_read_for_long(connection, [table.as_string(connection) for table in tables]):
        log.info("'%s' is being read by a long transaction: %d old loads go with a later load", contract.name, len(outdated))
        return
    connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(f"{DETACH_SECONDS}s")))
    for load_id, schema, name, pending in outdated:
        partition = sql.Identifier(schema, name)
        try:
            connection.execute(
                sql.SQL("ALTER TABLE {} DETACH PARTITION {} {}").format(
                    parent, partition, sql.SQL("FINALIZE" if pending else "CONCURRENTLY")
                )
            )
            connection.execute("DELETE FROM batchstream.shown WHERE dataset = %s AND load_id = %s", [contract.name, load_id])
            connection.execute(sql.SQL("DROP TABLE {}").format(partition))
        except errors.LockNotAvailable:
            log.warning("load %d of '%s' may still be read; it goes with a later load", load_id, contract.name)
            return


def _is_read_for_long(connection: psycopg.Connection, tables: list[str]) -> bool:
    """Whether one of the transactions that read some tables now is still there after `READ_SECONDS`."""
    deadline = time.monotonic() + READ_SECONDS
    first = readers = _readers(connection, tables)
    while first & readers:
        if time.monotonic() > deadline:
            return True
        time.sleep(READ_SECONDS / 10)
        readers = _readers(connection, tables)
    return False


def _readers(connection: psycopg.Connection, tables: list[str]) -> set[str]:
    return {name for (name,) in connection.execute(_READERS, [tables])}
