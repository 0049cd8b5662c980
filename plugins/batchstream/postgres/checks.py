"""The statements of the checks: each gives one row, its verdict and a sentence. `batchstream.load.verify` runs them."""

from psycopg import sql

from batchstream.contract.model import Check, Contract
from batchstream.postgres import relations, sql_files

# OFFSET 0, or PostgreSQL runs the query twice: once for the value, once for the verdict.
_RULE_OVER_LANDING = """\
SELECT {number} AS number, {rule} AS rule, value::text AS value, ({condition}) AS passed, true AS is_measured, {stops} AS stops
    FROM (SELECT ({query}) AS value OFFSET 0) AS measurement"""

_RULE_OVER_BOTH = """\
SELECT {number} AS number, {rule} AS rule, value::text AS value,
    NOT is_measured OR coalesce(({condition}), false) AS passed, is_measured, {stops} AS stops
    FROM (SELECT is_measured, CASE WHEN is_measured THEN ({query}) END AS value
    FROM (SELECT EXISTS (SELECT FROM {target}) AS is_measured OFFSET 0) AS shown OFFSET 0) AS measurement"""

_RULE_WITHOUT_TARGET = (
    "SELECT {number} AS number, {rule} AS rule, NULL AS value, true AS passed, false AS is_measured, {stops} AS stops"
)

_NO_RULE = "SELECT 0 AS number, '' AS rule, '' AS value, true AS passed, true AS is_measured, true AS stops"


def row_count(contract: Contract, load_id: int) -> sql.Composed:
    """Compare the counts of all stages."""
    return sql_files.read("checks/row_count.sql").format(
        load_id=sql.Literal(load_id),
        load_number=sql.SQL(str(load_id)),
        dataset=sql.Literal(contract.name),
        landing=relations.landing(contract, load_id),
        record_id=sql.Identifier(contract.own.record_id),
        expected=sql.Literal(contract.expected_records),
        rejected_allowed=_rejected_allowed(contract),
    )


def _rejected_allowed(contract: Contract) -> sql.Composable:
    allowed = contract.rejected_records_allowed
    if allowed.percent is None:
        return sql.Literal(allowed.records)
    return sql.SQL("floor(ledger.source_records * {}::numeric / 100)::bigint").format(str(allowed.percent))


def quality_rules(contract: Contract, load_id: int, *, has_target: bool) -> sql.Composed:
    """Measure the contract's quality rules over the landing.

    Args:
        contract: The dataset's.
        load_id: The load.
        has_target: Whether the target exists. A rule that looks at it is measured only if it has a row.
    """
    measurements = [
        _measurement(n, check, contract, load_id, has_target=has_target) for n, check in enumerate(contract.checks, 1)
    ]
    return sql_files.read("checks/columns.sql").format(
        measurements=sql.SQL("\n    UNION ALL ").join(measurements or [sql.SQL(_NO_RULE)]), dataset=sql.Literal(contract.name)
    )


def _measurement(number: int, check: Check, contract: Contract, load_id: int, *, has_target: bool) -> sql.Composable:
    if not check.reads_published:
        template = _RULE_OVER_LANDING
    elif has_target:
        template = _RULE_OVER_BOTH
    else:
        template = _RULE_WITHOUT_TARGET
    target = relations.target(contract)
    return sql.SQL(template).format(
        number=sql.Literal(number),
        rule=sql.Literal(check.name),
        stops=sql.Literal(check.stops_publish),
        condition=sql.SQL(check.condition).format(value=sql.SQL("value")),
        query=sql.SQL(check.query).format(object=relations.landing(contract, load_id), published=target),
        target=target,
    )


def published(contract: Contract, load_id: int) -> sql.Composed:
    """Compare the target with the ledger."""
    return sql_files.read("checks/published.sql").format(
        load_id=sql.Literal(load_id),
        target=relations.target(contract),
        target_name=sql.Literal(contract.name),
        expected=sql.Literal(contract.expected_records),
    )
