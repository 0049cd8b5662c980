"""The checks read a landing, and the inbox, no more often than they must."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.postgres import templates
from tests.support.landing import Landing
from tests.support.pipeline import Pipeline


@pytest.fixture
def landing(pipeline: Pipeline, admin: psycopg.Connection) -> Landing:
    landed = Landing(pipeline, admin, pipeline.contract)
    landed.land(landed.messages)
    return landed


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def reads(landing: Landing, query: sql.Composable, table: str) -> int:
    """How often a query reads a table when it runs."""
    row = landing.admin.execute(sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) ") + query).fetchone()
    assert row is not None
    return sum(node["Actual Loops"] for node in nodes(row[0][0]["Plan"]) if node.get("Relation Name") == table)


def test_each_rule_is_measured_once(landing: Landing) -> None:
    table = landing.table.as_string().split(".")[1].strip('"')
    alone = [reads(landing, sql.SQL(check.query).format(object=landing.table), table) for check in landing.contract.checks]
    assert sum(alone) > 1
    assert reads(landing, templates.column_check(landing.contract, landing.load_id), table) == sum(alone)


def test_the_counts_are_taken_once(landing: Landing) -> None:
    check = templates.row_count_check(landing.contract, landing.load_id)
    table = landing.table.as_string().split(".")[1].strip('"')
    assert [reads(landing, check, name) for name in (table, "batches", "loads")] == [1, 1, 1]
