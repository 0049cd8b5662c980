"""Roles, databases and schemas: what a superuser does once, before the first load. Safe to repeat."""

from collections.abc import Callable, Mapping

import psycopg
from psycopg import sql

from batchstream.postgres import names, sql_files

# Database → its owner, and who else may connect.
_DATABASES = {names.DATABASE: (names.OWNER, (names.LOADER, names.READER)), names.AIRFLOW: (names.AIRFLOW, ())}


def set_up(connect: Callable[[str], psycopg.Connection], passwords: Mapping[str, str]) -> None:
    """Make roles, databases and schemas.

    Args:
        connect: Opens a connection as superuser to the database of that name.
        passwords: Of each role.
    """
    with connect("postgres") as connection:
        connection.autocommit = True
        for role in names.LOGINS:
            _make_role(connection, role, passwords[role])
        connection.execute(sql_files.read("setup/checker.sql"))
        for name, (owner, guests) in _DATABASES.items():
            _make_database(connection, name, owner, guests)
        for name in ("postgres", "template1"):
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    with connect(names.DATABASE) as connection:
        connection.execute(sql_files.read("setup/schemas.sql"))


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    # The server would log the statement if it failed; SCRAM's verifier is made here, so no password is in it.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql_files.read("setup/roles.sql").format(
            role=sql.Identifier(role), role_name=sql.Literal(role), password=sql.Literal(verifier)
        )
    )


def _make_database(connection: psycopg.Connection, name: str, owner: str, guests: tuple[str, ...]) -> None:
    database = sql.Identifier(name)
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(owner)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for guest in guests:
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(guest)))
