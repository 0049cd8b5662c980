"""The checks of a load: their SQL, and their verdicts in the ledger, without which nothing is published."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum

import psycopg
from psycopg import sql

from batchstream.errors import LoadError
from batchstream.load.engines import Engines
from batchstream.load.pinned import pinned_contract
from batchstream.postgres import checks, names, relations
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.failures import may_pass, postgres_errors

CHECK_SECONDS = 3600
"""How long a check may take, its contract's rules included."""

CHECK_DISK = "20GB"
"""What a check may write to temporary files, such as for a sort: a rule that makes rows without end would fill the disk."""


class CheckName(StrEnum):
    """The checks of a load: two before a publish, and a look at what readers see after it."""

    ROW_COUNT = "row_count"
    COLUMNS = "columns"
    PUBLISHED = "published"


BEFORE_PUBLISH = (CheckName.ROW_COUNT, CheckName.COLUMNS)


def check_sql(settings: PostgresSettings, load_id: int, check: CheckName) -> str:
    """A check as one statement; its one row has a verdict and a sentence."""
    with connect(settings, application_name="batchstream check") as connection:
        contract = pinned_contract(connection, load_id)
        composed = {
            CheckName.ROW_COUNT: lambda: checks.row_count(contract, load_id),
            CheckName.COLUMNS: lambda: checks.quality_rules(
                contract, load_id, has_target=relations.exists(connection, relations.target(contract))
            ),
            CheckName.PUBLISHED: lambda: checks.published(contract, load_id),
        }[check]()
        return composed.as_string(connection)


def checking(settings: PostgresSettings, *, measures_rules: bool) -> psycopg.Connection:
    """A session for a check: read only, and with the rights of `names.CHECKER` alone where SQL of a contract runs.

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


@contextmanager
def named_rules(settings: PostgresSettings, load_id: int, check: CheckName) -> Iterator[None]:
    """Raise what PostgreSQL refuses of a rule as an error that names the rule: one statement holds all of them.

    Args:
        settings: Of the role that measures.
        load_id: The load.
        check: What is run; only one check has rules.

    Raises:
        LoadError: A rule can't be measured, and a retry would not mend that.
        psycopg.Error: Anything else, as it was.
    """
    try:
        yield
    except psycopg.Error as error:
        if check is CheckName.COLUMNS and not may_pass(error):
            _raise_for_rule(settings, load_id)
        raise


def _raise_for_rule(settings: PostgresSettings, load_id: int) -> None:
    with connect(settings, application_name="batchstream rules") as connection:
        contract = pinned_contract(connection, load_id)
        has_target = relations.exists(connection, relations.target(contract))
    for rule in contract.checks:
        statement = checks.quality_rules(replace(contract, checks=(rule,)), load_id, has_target=has_target)
        with checking(settings, measures_rules=True) as session:
            try:
                session.execute(statement)
            except psycopg.Error as error:
                said = error.diag.message_primary or " ".join(str(error).split())
                raise LoadError(
                    f"load {load_id}: rule {rule.name!r} can't be measured: {said}; mend its query in {contract.path}, which has "
                    "to give one number for any rows, and start a new run"
                ) from error


def note_verdict(owner: PostgresSettings, load_id: int, check: CheckName, *, passed: bool, message: str) -> None:
    """Enter what a check has said of the rows that have landed."""
    with (
        connect(owner, application_name="batchstream verdict") as connection,
        postgres_errors(f"load {load_id}: its verdict", connection),
    ):
        connection.execute(
            "INSERT INTO batchstream.verdicts (load_id, check_name, passed, message, landing_rows) "
            "SELECT load_id, %s, %s, %s, landed_records FROM batchstream.loads WHERE load_id = %s AND landed_records IS NOT NULL "
            "ON CONFLICT (load_id, check_name) DO UPDATE SET passed = excluded.passed, message = excluded.message, "
            "landing_rows = excluded.landing_rows, measured_at = clock_timestamp()",
            [str(check), passed, message, load_id],
        )


def verify_load(engines: Engines, load_id: int) -> tuple[bool, str]:
    """Run the checks of a load in their order, up to the first red one, and enter their verdicts.

    Returns:
        Whether all are green, and what the last one said.
    """
    passed, message = False, "no check was run"
    for check in BEFORE_PUBLISH:
        statement = check_sql(engines.loader, load_id, check)
        with (
            connect(engines.loader, application_name="batchstream check") as beside,
            postgres_errors(f"load {load_id}: check {check}", beside),
            named_rules(engines.loader, load_id, check),
            checking(engines.loader, measures_rules=check is CheckName.COLUMNS) as connection,
        ):
            row = connection.execute(statement.encode()).fetchone()
        passed, message = (bool(row[0]), str(row[1])) if row else (False, "the check gave no row")
        note_verdict(engines.owner, load_id, check, passed=passed, message=message)
        if not passed:
            break
    return passed, message
