"""Renders the SQL files below ``sql/`` for one contract. Identifiers are composed, values are quoted, never pasted."""

from functools import cache

from psycopg import sql

from batchstream.contract.model import Check, Contract, Publish
from batchstream.paths import SQL_FOLDER

LOADER_ROLE = "kafka_user"
READER_ROLE = "kafka_reader"
CHECKER_ROLE = "batchstream_checker"
"""Runs the contracts' SQL: it may read landings and published tables, and logs in nowhere."""

LANDING_SCHEMA = "landing"
TARGET_SCHEMA = "public"
PUBLISHED_SCHEMA = "published"


@cache
def read(name: str) -> sql.SQL:
    """A file below ``sql/``."""
    return sql.SQL((SQL_FOLDER / name).read_text(encoding="utf-8"))


def target(contract: Contract) -> sql.Identifier:
    """The table that readers see."""
    return sql.Identifier(TARGET_SCHEMA, contract.name)


def landing(contract: Contract, load_id: int) -> sql.Identifier:
    """The table where one load lands."""
    return sql.Identifier(LANDING_SCHEMA, f"{contract.name}_{load_id}")


def published(contract: Contract) -> sql.Identifier:
    """Where a dataset that is published by a swap keeps its loads, a partition each."""
    return sql.Identifier(PUBLISHED_SCHEMA, contract.name)


def stored(contract: Contract) -> sql.Identifier:
    """The table that holds what readers see."""
    return published(contract) if contract.publish is Publish.SWAP else target(contract)


def definitions(contract: Contract) -> list[sql.Composable]:
    """The columns of the contract, as ``CREATE TABLE`` takes them."""
    return [
        sql.SQL("{} {} {}").format(
            sql.Identifier(column.name), sql.SQL(column.type.sql), sql.SQL("NULL" if column.nullable else "NOT NULL")
        )
        for column in contract.columns
    ]


def load_id_column(load_id: int) -> sql.Composed:
    """Says of all rows that they are of one load: with the CHECK, nobody reads them to see that they fit its partition."""
    return sql.SQL("load_id bigint NOT NULL DEFAULT {0} CHECK (load_id = {0})").format(sql.Literal(load_id))


def landing_table(contract: Contract, load_id: int) -> sql.Composed:
    """A new landing table for one load."""
    columns = definitions(contract)
    if contract.publish is Publish.SWAP:
        columns.append(load_id_column(load_id))
    return read("tables/landing.sql").format(
        landing=landing(contract, load_id),
        columns=sql.SQL(",\n    ").join(columns),
        loader=sql.Identifier(LOADER_ROLE),
        checker=sql.Identifier(CHECKER_ROLE),
    )


def landing_key(contract: Contract) -> sql.Identifier:
    """The column of the landing that becomes the target's primary key."""
    return sql.Identifier(contract.key or "record_id")


def row_count_check(contract: Contract, load_id: int) -> sql.Composed:
    """Compares the counts of all stages; one row of verdict and sentence."""
    return read("checks/row_count.sql").format(
        load_id=sql.Literal(load_id),
        load_number=sql.SQL(str(load_id)),
        dataset=sql.SQL(contract.name),
        landing=landing(contract, load_id),
        expected=sql.Literal(contract.expected_records),
        rejected_allowed=_rejected_allowed(contract),
    )


def _rejected_allowed(contract: Contract) -> sql.Composable:
    allowed = contract.rejected_records_allowed
    if allowed.percent is None:
        return sql.Literal(allowed.records)
    return sql.SQL("floor(ledger.source_records * {}::numeric / 100)::bigint").format(str(allowed.percent))


def _measurement(number: int, check: Check, contract: Contract, load_id: int, *, has_target: bool) -> sql.Composed:
    if not check.reads_published:
        # OFFSET 0, or PostgreSQL runs the query twice: once for the value, once for the verdict.
        template = (
            "SELECT {number} AS number, {rule} AS rule, value::text AS value, ({condition}) AS passed, true AS is_measured "
            "FROM (SELECT ({query}) AS value OFFSET 0) AS measurement"
        )
    elif has_target:
        template = (
            "SELECT {number} AS number, {rule} AS rule, value::text AS value, "
            "NOT is_measured OR coalesce(({condition}), false) AS passed, is_measured "
            "FROM (SELECT is_measured, CASE WHEN is_measured THEN ({query}) END AS value "
            "FROM (SELECT EXISTS (SELECT FROM {target}) AS is_measured OFFSET 0) AS shown OFFSET 0) AS measurement"
        )
    else:
        template = "SELECT {number} AS number, {rule} AS rule, NULL AS value, true AS passed, false AS is_measured"
    return sql.SQL(template).format(
        number=sql.Literal(number),
        rule=sql.Literal(check.name),
        condition=sql.SQL(check.condition).format(value=sql.SQL("value")),
        query=sql.SQL(check.query).format(object=landing(contract, load_id), published=target(contract)),
        target=target(contract),
    )


def column_check(contract: Contract, load_id: int, *, has_target: bool) -> sql.Composed:
    """Measures the contract's quality rules over the landing; one row of verdict and sentence.

    Args:
        contract: The dataset's.
        load_id: The load.
        has_target: Whether the table that readers see exists. A rule that looks at it is measured only if it has a row.
    """
    measurements: list[sql.Composable] = [
        _measurement(n, check, contract, load_id, has_target=has_target) for n, check in enumerate(contract.checks, 1)
    ]
    nothing: sql.Composable = sql.SQL("SELECT 0 AS number, '' AS rule, '' AS value, true AS passed, true AS is_measured")
    return read("checks/columns.sql").format(
        measurements=sql.SQL("\n    UNION ALL ").join(measurements or [nothing]), dataset=sql.SQL(contract.name)
    )


def published_check(contract: Contract, load_id: int) -> sql.Composed:
    """Compares the target with the ledger; one row of verdict and sentence."""
    return read("checks/published.sql").format(
        load_id=sql.Literal(load_id),
        target=target(contract),
        target_name=sql.Literal(contract.name),
        expected=sql.Literal(contract.expected_records),
    )
