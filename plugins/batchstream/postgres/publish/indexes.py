"""The indexes of a table that readers see: its key's, one on created_at, and those that the contract asks for.

They are looked for on their own table and by their columns. Their names are PostgreSQL's choice, which takes a free one: the
name that a table of ours would have may be that of a renamed table's index, or of another dataset's.
"""

import logging

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.postgres import key_columns, relations

DECLARE_SECONDS = 2
"""How long the primary key waits for the transactions that read the table."""

_FIND_KEY = f"""
SELECT c.relname, i.indisprimary
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass(%s) AND {key_columns.INDEXED} IS NOT DISTINCT FROM %s::text[]
    AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL
    -- The default order, without which it can't become a primary key.
    AND 0 = ALL (i.indoption::int2[])
ORDER BY i.indisprimary DESC, 1 LIMIT 1
"""  # noqa: S608 - made of constants

_FIND_LEADING_COLUMNS = """
SELECT DISTINCT a.attname
FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND i.indpred IS NULL
"""

log = logging.getLogger(__name__)


def has_key(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether the key of the contract is unique in the table; asks the catalog, and waits for no lock on the table."""
    return _key_index(connection, contract) is not None


def build_missing(connection: psycopg.Connection, contract: Contract) -> None:
    """Build the indexes that the table lacks, the key's first; readers don't wait for it, and it doesn't wait for them.

    Raises:
        psycopg.errors.UniqueViolation: A key stands twice.
    """
    target = relations.target(contract)
    if not has_key(connection, contract):
        connection.execute(
            sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(target, key_columns.listed(key_columns.of_table(contract))),
        )
    found = {name for (name,) in connection.execute(_FIND_LEADING_COLUMNS, [target.as_string(connection)])}
    if contract.own.created_at not in found:
        # Rows are inserted in the order of their times, which is what BRIN is for: it costs a load next to nothing.
        created_at = sql.Identifier(contract.own.created_at)
        connection.execute(sql.SQL("CREATE INDEX ON {} USING brin ({})").format(target, created_at))
    for column in contract.columns:
        if column.indexed and column.name not in found:
            connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(target, sql.Identifier(column.name)))


def declare_key(connection: psycopg.Connection, contract: Contract) -> None:
    """Make the key's unique index the primary key; later, if somebody reads the table in a long transaction.

    A publish goes on without it.
    """
    index = _key_index(connection, contract)
    if index is None or index[1] or _has_primary_key(connection, contract):
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{DECLARE_SECONDS}s")))
            connection.execute(
                sql.SQL("ALTER TABLE {} ADD PRIMARY KEY USING INDEX {}").format(
                    relations.target(contract), sql.Identifier(index[0])
                )
            )
    except psycopg.errors.LockNotAvailable:
        log.warning("'%s' is being read: its unique index becomes the primary key with a later load", contract.name)
    except psycopg.Error as error:
        log.warning("the unique index of '%s' becomes the primary key with a later load: %s", contract.name, error)


def _has_primary_key(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether somebody has made one on the same columns that is looked at later, as each publish needs one that is not."""
    found = connection.execute(
        "SELECT 1 FROM pg_index WHERE indrelid = %s::regclass AND indisprimary",
        [relations.target(contract).as_string(connection)],
    ).fetchone()
    return found is not None


def _key_index(connection: psycopg.Connection, contract: Contract) -> tuple[str, bool] | None:
    """Name of the unique index on the key alone, and whether it is the primary key."""
    target, key = relations.target(contract).as_string(connection), key_columns.in_order(key_columns.of_table(contract))
    return connection.execute(_FIND_KEY, [target, key]).fetchone()
