"""Who may do what with landings and published tables; repaired where an older release, or somebody else, granted more.

The publish is the owner's. The loading role inserts into the landing of a load that lands, and reads.
"""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import ConnectionSettingsError
from batchstream.postgres import names, relations

_CHANGING = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"


def require_checker(connection: psycopg.Connection) -> None:
    """See that the role is there that runs the contracts' SQL.

    Raises:
        ConnectionSettingsError: It is missing, or the loading role may not become it.
    """
    row = connection.execute(
        "SELECT (SELECT pg_has_role(%s, oid, 'SET') FROM pg_roles WHERE rolname = %s)",
        [names.LOADER, names.CHECKER],
    ).fetchone()
    if row == (True,):
        return
    got = "there is no such role" if row == (None,) else f"'{names.LOADER}' may not become it"
    raise ConnectionSettingsError(
        f"role '{names.CHECKER}' runs the SQL of contracts, and {got}; let an administrator of the server run "
        "sql/setup/checker.sql and sql/setup/schemas.sql (docs/deploy.md)"
    )


def show(connection: psycopg.Connection, relation: sql.Identifier) -> None:
    """Let readers read a table or view that was made, and nobody but its owner change it."""
    loader, reader, checker = map(sql.Identifier, (names.LOADER, names.READER, names.CHECKER))
    connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(relation, loader))
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}, {}, {}").format(relation, loader, reader, checker))


def tighten(connection: psycopg.Connection, relation: sql.Identifier) -> None:
    """Take from the loading role what an older release, or somebody else, has granted it; let the checks read.

    Who else may read is left as somebody has decided it.
    """
    row = connection.execute(
        "SELECT has_table_privilege(%(loader)s, %(name)s, %(changing)s) OR has_any_column_privilege(%(loader)s, %(name)s, "
        "'INSERT, UPDATE, REFERENCES'), has_table_privilege(%(checker)s, %(name)s, 'SELECT')",
        {
            "loader": names.LOADER,
            "checker": names.CHECKER,
            "name": relation.as_string(connection),
            "changing": _CHANGING,
        },
    ).fetchone()
    can_change, can_check = row or (True, False)
    loader, checker = sql.Identifier(names.LOADER), sql.Identifier(names.CHECKER)
    if can_change:
        connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(relation, loader))
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(relation, loader))
    if not can_check:
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(relation, checker))


def close_landing(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Let nothing land any more: what was verified is what is published."""
    _close(connection, relations.landing(contract, load_id))


def close_partitions(connection: psycopg.Connection, partitioned_table: sql.Identifier) -> None:
    """The same of each load that is shown by a swap: older releases left them open."""
    open_ones = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
        "JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE i.inhparent = to_regclass(%s) AND has_table_privilege(%s, c.oid, 'INSERT')",
        [partitioned_table.as_string(connection), names.LOADER],
    ).fetchall()
    for schema, name in open_ones:
        _close(connection, sql.Identifier(schema, name))


def _close(connection: psycopg.Connection, relation: sql.Identifier) -> None:
    connection.execute(sql.SQL("REVOKE INSERT, MAINTAIN ON {} FROM {}").format(relation, sql.Identifier(names.LOADER)))
