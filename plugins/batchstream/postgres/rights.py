"""Who may do what with landings and published tables; repaired where an older release, or somebody else, granted more.

The publish is the owner's. The loading role inserts into the landing of a load that lands, and reads.
"""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import ConnectionSettingsError
from batchstream.postgres import templates

_CHANGING = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"


def require_checker(connection: psycopg.Connection) -> None:
    """See that the role is there that runs the contracts' SQL.

    Raises:
        ConnectionSettingsError: It is missing, or the loading role may not become it.
    """
    row = connection.execute(
        "SELECT (SELECT pg_has_role(%s, oid, 'SET') FROM pg_roles WHERE rolname = %s)",
        [templates.LOADER_ROLE, templates.CHECKER_ROLE],
    ).fetchone()
    if row == (True,):
        return
    got = "there is no such role" if row == (None,) else f"'{templates.LOADER_ROLE}' may not become it"
    raise ConnectionSettingsError(
        f"role '{templates.CHECKER_ROLE}' runs the SQL of contracts, and {got}; let an administrator of the server run "
        "sql/setup/checker.sql and sql/setup/schemas.sql (docs/deploy.md)"
    )


def show(connection: psycopg.Connection, relation: sql.Identifier) -> None:
    """Let readers read a table or view, and nobody but its owner change it. Grants only what is missing."""
    name = relation.as_string(connection)
    row = connection.execute(
        "SELECT has_table_privilege(%(loader)s, %(name)s, %(changing)s) OR has_any_column_privilege(%(loader)s, %(name)s, "
        "'INSERT, UPDATE, REFERENCES'), "
        "has_table_privilege(%(loader)s, %(name)s, 'SELECT') AND has_table_privilege(%(reader)s, %(name)s, 'SELECT') "
        "AND has_table_privilege(%(checker)s, %(name)s, 'SELECT')",
        {
            "loader": templates.LOADER_ROLE,
            "reader": templates.READER_ROLE,
            "checker": templates.CHECKER_ROLE,
            "name": name,
            "changing": _CHANGING,
        },
    ).fetchone()
    can_change, can_read = row or (True, False)
    if can_change:
        connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(relation, sql.Identifier(templates.LOADER_ROLE)))
    if can_change or not can_read:
        connection.execute(
            sql.SQL("GRANT SELECT ON {} TO {}, {}, {}").format(
                relation,
                *map(sql.Identifier, (templates.LOADER_ROLE, templates.READER_ROLE, templates.CHECKER_ROLE)),
            )
        )


def close_landing(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Let nothing land any more: what was verified is what is published."""
    _close(connection, templates.landing(contract, load_id))


def close_partitions(connection: psycopg.Connection, published: sql.Identifier) -> None:
    """The same of each load that is shown by a swap: older releases left them open."""
    open_ones = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
        "JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE i.inhparent = to_regclass(%s) AND has_table_privilege(%s, c.oid, 'INSERT')",
        [published.as_string(connection), templates.LOADER_ROLE],
    ).fetchall()
    for names in open_ones:
        _close(connection, sql.Identifier(*names))


def _close(connection: psycopg.Connection, relation: sql.Identifier) -> None:
    connection.execute(sql.SQL("REVOKE INSERT, MAINTAIN ON {} FROM {}").format(relation, sql.Identifier(templates.LOADER_ROLE)))
