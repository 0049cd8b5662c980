"""Removes what closed loads have left: off the path of a load, which nothing here may fail."""

import logging

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.postgres import names, old_loads

KEPT_LOADS = 5
"""Landing tables and checkpoints of this many loads of a dataset are kept, the newest included."""

KEPT_DAYS = 30
"""Quarantine and inbox of closed loads are kept this long."""

LOCK_TIMEOUT = "200ms"
"""How long anything here waits for somebody else. What is in use already is not even tried."""

log = logging.getLogger(__name__)


def clean_up(connection: psycopg.Connection, contract: Contract) -> None:
    """Drop landings beyond `KEPT_LOADS`, and what is older than `KEPT_DAYS` from quarantine and inbox.

    What can't be removed now is left for a later load, and logged.

    Args:
        connection: Of the owning role, for nothing else afterwards.
        contract: The dataset's.
    """
    try:
        connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
        _drop_landings(connection, contract)
        _forget_records(connection, contract)
        old_loads.remove(connection, contract, KEPT_LOADS)
    except psycopg.Error as error:
        log.warning("%s: what old loads have left is not removed, a later load tries again: %s", contract.name, error)


def _drop_landings(connection: psycopg.Connection, contract: Contract) -> None:
    # By the tables that exist: a ledger of a thousand loads is not gone through. Partitions may be read: old_loads'.
    landings = connection.execute(
        "SELECT c.relname, l.load_id, EXISTS (SELECT FROM pg_locks WHERE relation = c.oid AND pid IS DISTINCT FROM "
        "pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) "
        "FROM pg_class AS c JOIN batchstream.loads AS l ON c.relname = %s || l.load_id "
        "WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND NOT c.relispartition AND l.dataset = %s "
        "AND l.load_id NOT IN (SELECT load_id FROM batchstream.loads WHERE dataset = %s ORDER BY load_id DESC LIMIT %s) "
        "ORDER BY l.load_id",
        [f"{contract.handle}_", names.LANDING_SCHEMA, contract.name, contract.name, KEPT_LOADS],
    ).fetchall()
    for name, load_id, is_in_use in landings:
        if is_in_use:
            log.info("landing of load %s is being read, a later load drops it", load_id)
            continue
        try:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(names.LANDING_SCHEMA, name)))
        except psycopg.DatabaseError as error:
            # A view of somebody's depends on it, or it is in use since.
            log.warning("landing of load %s stays, a later load tries again: %s", load_id, error)


def _forget_records(connection: psycopg.Connection, contract: Contract) -> None:
    for table in ("quarantine", "rejected_messages", "batches"):
        connection.execute(
            sql.SQL(
                "DELETE FROM {} AS t USING batchstream.loads AS l WHERE l.load_id = t.load_id AND l.dataset = %s "
                "AND l.closed_at < now() - make_interval(days => %s)"
            ).format(sql.Identifier("batchstream", table)),
            [contract.name, KEPT_DAYS],
        )
