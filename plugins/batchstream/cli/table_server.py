"""The database whose table a contract is drafted for: by its URL, or by a connection of Airflow."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from batchstream.errors import ConnectionSettingsError, SourceError
from batchstream.local import connections
from batchstream.local.installation import Installation
from batchstream.postgres.connection import SESSION_SETTINGS, connect, settings_of

APPLICATION_NAME = "batchstream contract new"
TIMEOUT_SECONDS = 10


def connected(url: str, connection_id: str | None) -> psycopg.Connection:
    """Open a connection that only reads.

    Args:
        url: As libpq takes it. A password may be in it, in ``PGPASSWORD`` or in libpq's password file.
        connection_id: Of Airflow; counts if there is no URL.

    Raises:
        ConnectionSettingsError: The server can't be reached, or refuses; no password is shown.
        SourceError: Neither is given.
    """
    if url:
        found = _by_url(url)
    elif connection_id:
        installation = Installation()
        installation.up()
        fields = connections.resolve(connection_id, installation.environment())
        found = connect(settings_of(connection_id, fields), application_name=APPLICATION_NAME)
    else:
        raise SourceError("in which database the table is, is not said; add --connection ID, or postgresql://user@host/database")
    found.read_only = True
    return found


def _by_url(url: str) -> psycopg.Connection:
    try:
        known = conninfo_to_dict(url)
        found = psycopg.connect(
            url, autocommit=True, connect_timeout=TIMEOUT_SECONDS, application_name=APPLICATION_NAME, client_encoding="UTF8"
        )
    except psycopg.ProgrammingError:
        # Its message may repeat the URL, with what is in it.
        raise ConnectionSettingsError(
            "the URL of the database can't be read; write postgresql://user@host:5432/database"
        ) from None
    except psycopg.OperationalError as error:
        where = f"{known.get('user', '')}@{known.get('host', '')}/{known.get('dbname', '')}"
        raise ConnectionSettingsError(f"{where}: {' '.join(str(error).split())}; mend the URL, or PGPASSWORD") from None
    found.execute("SELECT set_config('search_path', %s, false)", [SESSION_SETTINGS["search_path"]])
    return found
