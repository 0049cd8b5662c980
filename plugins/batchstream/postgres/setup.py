"""Roles, databases and schemas: what a superuser does once, before the first load. Safe to repeat."""

from collections.abc import Callable, Mapping

import psycopg
from psycopg import sql

from batchstream.paths import SQL_FOLDER

DATABASE = "kafka_streaming"
OWNER = "batchstream_owner"
LOADER = "kafka_user"
READER = "kafka_reader"
CHECKER = "batchstream_checker"
AIRFLOW = "airflow"

# Database → its owner, and who else may connect.
_DATABASES = {DATABASE: (OWNER, (LOADER, READER)), AIRFLOW: (AIRFLOW, ())}


def set_up(connect: Callable[[str], psycopg.Connection], passwords: Mapping[str, str]) -> None:
    """Make roles, databases and schemas.

    Args:
        connect: Opens a connection as superuser to the database of that name.
        passwords: Of each role.
    """
    with connect("postgres") as connection:
        connection.autocommit = True
        for role in (OWNER, LOADER, READER, AIRFLOW):
            _make_role(connection, role, passwords[role])
        connection.execute((SQL_FOLDER / "setup" / "checker.sql").read_bytes())
        for name, (owner, guests) in _DATABASES.items():
            _make_database(connection, name, owner, guests)
        for name in ("postgres", "template1"):
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    with connect(DATABASE) as connection:
        connection.execute((SQL_FOLDER / "setup" / "schemas.sql").read_bytes())


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    # The server would log the statement if it failed; SCRAM's verifier is made here, so no password is in it.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    template = sql.SQL((SQL_FOLDER / "setup" / "roles.sql").read_text(encoding="utf-8"))
    connection.execute(template.format(role=sql.Identifier(role), role_name=sql.Literal(role), password=sql.Literal(verifier)))


def _make_database(connection: psycopg.Connection, name: str, owner: str, guests: tuple[str, ...]) -> None:
    database = sql.Identifier(name)
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(owner)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for guest in guests:
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(guest)))
