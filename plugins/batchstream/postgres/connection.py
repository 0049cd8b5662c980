"""Connections to PostgreSQL, with errors that name the connection to mend."""

from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg

from batchstream.errors import ConnectionSettingsError, SinkError

POSTGRES_VARIABLE = "BATCHSTREAM_POSTGRES"
"""Environment variable that carries `PostgresSettings` as JSON to the Spark driver; never a command line."""

# How libpq begins what the server said, and what it says itself without a password. Whatever else ends a log-in, such as a cut
# connection, comes from the way there.
_REFUSALS = ("FATAL:", "no password supplied")

# What a server says after the password was right, and what time mends; in the language of a server set to English.
_PASSING = (
    *("too many", "connection slots", "starting up", "shutting down", "recovery", "accepting connections"),
    *("terminating connection", "due to timeout"),
)

CONNECT_TIMEOUT_SECONDS = 10

DEFAULT_PORT = 5432

LOCK_TIMEOUT_SECONDS = 10
"""How long a statement of ours waits for somebody else's lock before it gives up with an error."""

SESSION_SETTINGS = {
    "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
    # A role, a database or a server may have other defaults; these are what our statements rely on.
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "search_path": "public",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "synchronous_commit": "on",
    "transform_null_equals": "off",
    "array_nulls": "on",
    # Readers of a swap see a view, and so do its checks.
    "restrict_nonsystem_relation_kind": "",
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
"""Set at the start of each session of ours."""


class PostgresSettings(msgspec.Struct, frozen=True):
    """How to reach PostgreSQL.

    Attributes:
        connection_id: The Airflow connection that these settings come from; named in messages.
        options: Further libpq parameters, such as ``sslmode``.
    """

    connection_id: str
    host: str
    port: int
    user: str
    password: str
    dbname: str
    options: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """Show everything but the password."""
        return f"PostgresSettings({self.connection_id}: {self.user}@{self.host}:{self.port}/{self.dbname})"


def settings_of(connection_id: str, fields: Mapping[str, Any]) -> PostgresSettings:
    """Settings out of the fields of an Airflow connection, by their names; further parameters of libpq come from its extra.

    Raises:
        ConnectionSettingsError: One that is needed is missing.
    """
    missing = [name for name in ("host", "login", "schema") if not fields.get(name)]
    if missing:
        raise ConnectionSettingsError(f"connection '{connection_id}': {', '.join(missing)} not set; mend this connection")
    extra: Mapping[str, Any] = fields.get("extra_dejson") or {}
    return PostgresSettings(
        connection_id=connection_id,
        host=str(fields["host"]),
        port=int(fields.get("port") or DEFAULT_PORT),
        user=str(fields["login"]),
        password=fields.get("password") or "",
        dbname=str(fields["schema"]),
        options={name: str(value) for name, value in extra.items() if name.startswith("ssl")},
    )


def connect(settings: PostgresSettings, *, application_name: str) -> psycopg.Connection:
    """Open a connection in autocommit: a transaction is what stands in ``with connection.transaction()``, and nothing else.

    Statements wait for locks at most `LOCK_TIMEOUT_SECONDS`.

    Raises:
        ConnectionSettingsError: The server asked for a password and then refused: wrong password, unknown role, unknown
            or forbidden database. A retry would be refused again.
        SinkError: The server can't be reached, is starting or stopping, or cut the connection meanwhile.
    """
    options: dict[str, Any] = dict(settings.options)
    try:
        connection = psycopg.connect(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password,
            dbname=settings.dbname,
            application_name=application_name,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            client_encoding="UTF8",
            autocommit=True,
            **options,
        )
        connection.execute(
            "SELECT set_config(name, setting, false) FROM unnest(%s::text[], %s::text[]) AS wanted (name, setting) "
            # An older server, of which a source is read, has not all of them.
            "WHERE current_setting(name, true) IS NOT NULL",
            [list(SESSION_SETTINGS), list(SESSION_SETTINGS.values())],
        )
    except psycopg.OperationalError as error:
        where = f"connection '{settings.connection_id}' ({settings.user}@{settings.host}:{settings.port}/{settings.dbname})"
        # libpq gives no SQLSTATE for a failed log-in, but it says whether the server got as far as asking for a password.
        if error.pgconn is not None and (error.pgconn.used_password or error.pgconn.needs_password) and _is_refusal(str(error)):
            raise ConnectionSettingsError(
                f"{where}: PostgreSQL refused the log-in: {error}. Mend user, password or database of this connection."
            ) from None
        raise SinkError(f"{where}: PostgreSQL can't be reached: {error}. Start it, or mend host and port.") from None
    return connection


def _is_refusal(message: str) -> bool:
    return any(words in message for words in _REFUSALS) and not any(words in message for words in _PASSING)
