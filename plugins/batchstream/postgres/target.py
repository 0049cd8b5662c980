"""The table that readers see, if a load is published by a merge: the landing of the first load becomes it, whole."""

import logging

import psycopg
from psycopg import errors, sql

from batchstream.contract.model import Contract
from batchstream.postgres import swap, templates

DECLARE_SECONDS = 2
"""How long the primary key waits for the transactions that read the table."""

log = logging.getLogger(__name__)


def is_missing(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether no load was published yet, and nobody else made the table."""
    return swap.kind_of(connection, templates.target(contract)) is None


def take_landing(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Make the landing of a load the table; its rows stay where they are, and it gets key and indexes.

    Raises:
        psycopg.errors.UniqueViolation: A key stands twice.
    """
    connection.execute(templates.first_load(contract, load_id))
    build_indexes(connection, contract)


def complete(connection: psycopg.Connection, contract: Contract) -> None:
    """Build the indexes that the table lacks, if a load was published."""
    if has_key(connection, contract):
        build_indexes(connection, contract)
        declare_key(connection, contract)


def has_key(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether a load was published, so that the table has a key; asks the catalog, and waits for no lock on the table."""
    found = connection.execute(
        "SELECT 1 FROM pg_index WHERE indrelid = to_regclass(%s) AND indisunique",
        [templates.target(contract).as_string(connection)],
    ).fetchone()
    return found is not None


def build_indexes(connection: psycopg.Connection, contract: Contract) -> None:
    """Build the missing ones of the indexes, the key's first.

    Raises:
        psycopg.errors.UniqueViolation: A key stands twice.
    """
    connection.execute(templates.target_indexes(contract))


def declare_key(connection: psycopg.Connection, contract: Contract) -> None:
    """Make the key's unique index the primary key; later, if somebody reads the table in a long transaction."""
    target = templates.target(contract)
    try:
        with connection.transaction():
            declared = connection.execute(
                "SELECT 1 FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'", [target.as_string(connection)]
            ).fetchone()
            if declared is None:
                connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{DECLARE_SECONDS}s")))
                connection.execute(
                    sql.SQL("ALTER TABLE {} ADD PRIMARY KEY USING INDEX {}").format(target, templates.key_index(contract))
                )
    except errors.LockNotAvailable:
        log.warning("'%s' is being read: its unique index becomes the primary key with a later load", contract.name)
