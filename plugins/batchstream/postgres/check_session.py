"""The session in which a check runs: it reads only, and bounds what SQL of a contract may take."""

import psycopg
from psycopg import sql

from batchstream.postgres import names
from batchstream.postgres.connection import PostgresSettings, connect

CHECK_SECONDS = 3600
"""How long a check may take, its contract's rules included."""

CHECK_DISK = "20GB"
"""What a check may write to temporary files, such as for a sort: a rule that makes rows without end would fill the disk."""


def check_session(settings: PostgresSettings, *, measures_rules: bool) -> psycopg.Connection:
    """Open a session for a check: read only, and with the rights of `names.CHECKER` alone where SQL of a contract runs.

    Args:
        settings: Of the loading role; of the owning one for a look at what readers see, as a policy may hide rows from others.
        measures_rules: Whether it is for the rules of the contract.
    """
    connection = connect(settings, application_name="batchstream check")
    connection.execute("SET default_transaction_read_only = on")
    connection.execute(f"SET statement_timeout = '{CHECK_SECONDS}s'")
    # Where the server's administrator lets the loading role set it; see sql/setup/checker.sql.
    connection.execute(
        "SELECT set_config('temp_file_limit', %s, false) WHERE has_parameter_privilege('temp_file_limit', 'SET')", [CHECK_DISK]
    )
    # A rule over some of the rows would be green for all: where a policy hides any, PostgreSQL refuses instead.
    connection.execute("SET row_security = off")
    if measures_rules:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(names.CHECKER)))
    # Each statement is prepared: PostgreSQL itself then refuses a text that holds more than one.
    connection.prepare_threshold = 0
    return connection
