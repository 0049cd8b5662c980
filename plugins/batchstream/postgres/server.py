"""What a server has to be, so that what a load relies on holds there; told before anything is sent."""

import psycopg

from batchstream.errors import ConnectionSettingsError
from batchstream.postgres.connection import PostgresSettings, connect

MIN_VERSION = 170000
"""The first in which MERGE tells what it did."""


def require_fit(connection: psycopg.Connection, settings: PostgresSettings) -> None:
    """See that a server can hold loads.

    Raises:
        ConnectionSettingsError: It is too old, a standby, has another encoding than UTF-8, looks at no foreign key, or a pooler
            that gives the transactions of one session to different sessions stands before it.
    """
    row = connection.execute(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery(), "
        "current_setting('server_encoding'), pg_backend_pid(), current_setting('session_replication_role'), current_user"
    ).fetchone()
    version, name, is_standby, encoding, backend, replication_role, user = row or (0, "?", False, "?", 0, "", "")
    if version < MIN_VERSION:
        raise _unfit(settings, f"PostgreSQL {name} is too old; use {MIN_VERSION // 10000} or newer")
    if is_standby:
        raise _unfit(settings, "the server is a standby, which takes no writes; name the primary")
    if encoding != "UTF8":
        raise _unfit(settings, f"the database has the encoding {encoding}, which can't hold every text; make it with UTF8")
    if replication_role == "replica":
        # Only a superuser may set it back, so a session of ours can't.
        raise _unfit(
            settings,
            "session_replication_role is replica, by which a publish would break foreign keys that refer to its table, and leave "
            f"out triggers; ALTER ROLE {user} RESET session_replication_role, or the same of the database",
        )
    if backend != connection.info.backend_pid and _shares_sessions(connection, settings):
        raise _unfit(
            settings,
            "a pooler that changes sessions with each transaction stands before the server (pgbouncer: pool_mode = "
            "transaction), and locks and temporary tables of a session don't last; connect to the server itself, or to a pool "
            "with pool_mode = session",
        )


def _shares_sessions(connection: psycopg.Connection, settings: PostgresSettings) -> bool:
    """Whether a second client meets the session of the first one while that is connected."""
    with connect(settings, application_name="batchstream probe") as other:
        for _ in range(20):
            held = other.execute("SELECT pg_backend_pid()").fetchone()
            if held == connection.execute("SELECT pg_backend_pid()").fetchone():
                return True
    return False


def _unfit(settings: PostgresSettings, what: str) -> ConnectionSettingsError:
    return ConnectionSettingsError(f"connection '{settings.connection_id}' ({settings.host}:{settings.port}): {what}")
