"""The checks of a load, and their verdicts in the ledger, without which nothing is published."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum

import psycopg

from batchstream.errors import LoadError
from batchstream.load.engines import Engines
from batchstream.load.pinned import pinned_contract
from batchstream.postgres import checks, ledger, relations
from batchstream.postgres.check_session import check_session
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.failures import may_pass, postgres_errors


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
        with check_session(settings, measures_rules=True) as session:
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
        ledger.note_verdict(connection, load_id, check, passed=passed, message=message)


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
            check_session(engines.loader, measures_rules=check is CheckName.COLUMNS) as connection,
        ):
            row = connection.execute(statement.encode()).fetchone()
        passed, message = (bool(row[0]), str(row[1])) if row else (False, "the check gave no row")
        note_verdict(engines.owner, load_id, check, passed=passed, message=message)
        if not passed:
            break
    return passed, message
