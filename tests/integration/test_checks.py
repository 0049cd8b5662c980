"""The checks read a landing, and the inbox, no more often than they must; rules of type sql mean in PostgreSQL what they say."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.contract.functions import ALLOWED_FUNCTIONS
from batchstream.errors import LoadError
from batchstream.load import verify
from batchstream.local.installation import Installation
from batchstream.postgres import check_session, checks, names
from tests.support.landing import Landing
from tests.support.pipeline import Pipeline
from tests.unit.test_queries import TAKEN, check


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
    assert reads(landing, checks.quality_rules(landing.contract, landing.load_id, has_target=False), table) == sum(alone)


def test_the_counts_are_taken_once(landing: Landing) -> None:
    check = checks.row_count(landing.contract, landing.load_id)
    table = landing.table.as_string().split(".")[1].strip('"')
    assert [reads(landing, check, name) for name in (table, "batches")] == [1, 1]


def measure(pipeline: Pipeline, load_id: int) -> tuple[bool, str]:
    """Verdict and sentence of the quality rules, measured as the task does it."""
    loader = pipeline.settings(names.LOADER)
    statement = verify.check_sql(loader, load_id, verify.CheckName.COLUMNS)
    with check_session.check_session(loader, measures_rules=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_session_for_rules_takes_one_statement_and_writes_nothing(pipeline: Pipeline) -> None:
    with check_session.check_session(pipeline.settings(names.LOADER), measures_rules=True) as connection:
        with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
            connection.execute("SELECT 1; RESET ROLE; SELECT 2")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TEMP TABLE x ()")


def test_a_session_for_rules_sees_all_rows_or_none_and_ends_at_last(
    installation: Installation, admin: psycopg.Connection
) -> None:
    """A rule over the rows that a policy leaves would be green for all of them."""
    table = sql.Identifier("public", f"some_{os.urandom(4).hex()}")
    admin.execute(sql.SQL("CREATE TABLE {0} AS SELECT n FROM generate_series(1, 3) AS n").format(table))
    admin.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table, sql.Identifier(names.CHECKER)))
    admin.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table))
    admin.execute(sql.SQL("CREATE POLICY few ON {} USING (n < 3)").format(table))
    with check_session.check_session(installation.engines().loader, measures_rules=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
        assert connection.execute("SHOW statement_timeout").fetchone() == ("1h",)


def test_a_rule_that_looks_at_the_published_table_is_measured_when_there_is_one(
    pipeline: Pipeline, admin: psycopg.Connection
) -> None:
    pipeline.expect_any_source()
    ratio = "SELECT 100 * count(*) / (SELECT count(*) FROM {published}) FROM {object}"
    rules = [
        {"name": "no shrinking", "query": ratio, "mustBeGreaterOrEqualTo": 90},
        {
            "name": "no growing",
            "query": f"SELECT 1.0 * (SELECT count(*) FROM {{object}}) / count(*) FROM {pipeline.name}",
            "mustBe": 1,
        },
        {"name": "some rows -- at least", "query": "SELECT count(*) FROM {object} -- all of them", "mustBe": 506},
    ]

    def edit(document: dict[str, Any]) -> None:
        document["schema"][0]["quality"] = [{"type": "sql", **rule} for rule in rules]

    pipeline.edit_contract(edit)
    landed = Landing(pipeline, admin, pipeline.contract)
    landed.land(landed.messages)
    holds = f"every quality rule of {pipeline.name} holds"
    unmeasured = f"{holds}; not measured, as nothing was published yet: no shrinking, no growing"
    assert measure(pipeline, landed.load_id) == (True, unmeasured)
    # A table that somebody made before the first load has nothing to compare with, either.
    table = sql.Identifier("public", pipeline.name)
    admin.execute(sql.SQL("CREATE TABLE {} AS SELECT * FROM {} LIMIT 0").format(table, landed.table))
    admin.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table, sql.Identifier(names.CHECKER)))
    assert measure(pipeline, landed.load_id) == (True, unmeasured)
    admin.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(table, landed.table))
    assert measure(pipeline, landed.load_id) == (True, holds)
    admin.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(table, landed.table))
    assert measure(pipeline, landed.load_id) == (False, "no shrinking: got 50; no growing: got 0.50000000000000000000")


def test_a_rule_that_can_not_be_measured_is_named(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.expect_any_source()
    queries = {
        "a text": ("SELECT 'text'", "operator does not exist: text = integer"),
        "many values": ("SELECT medv FROM {object}", "more than one row returned by a subquery used as an expression"),
        "a fraction": ("SELECT 1 / (count(*) - 506) FROM {object}", "division by zero"),
        "a table": ("SELECT count(*) FROM nowhere", 'relation "nowhere" does not exist'),
    }
    for name, (query, said) in queries.items():

        def edit(document: dict[str, Any], name: str = name, query: str = query) -> None:
            good = {"type": "sql", "query": "SELECT count(*) FROM {object}", "mustBe": 506}
            document["schema"][0]["quality"] = [good, {"type": "sql", "name": name, "query": query, "mustBe": 1}]

        pipeline.edit_contract(edit)
        landed = Landing(pipeline, admin, pipeline.contract)
        landed.land(landed.messages)
        with (
            pytest.raises(LoadError, match=rf"load \d+: rule '{name}' can't be measured: {said}; mend its query in "),
            verify.named_rules(pipeline.engines.loader, landed.load_id, verify.CheckName.COLUMNS),
        ):
            measure(pipeline, landed.load_id)
        pipeline.fail(landed.load_id, "the next rule follows")


@pytest.fixture(scope="module")
def sample(installation: Installation) -> Iterator[psycopg.Connection]:
    """A session with a small table of its own."""
    with installation.postgres.connect(names.DATABASE) as connection:
        connection.autocommit = True
        connection.execute(
            "CREATE TEMP TABLE sample AS SELECT n AS a, n + 1 AS b, 'x' || n AS t, '2024-01-01'::date + n AS d, "
            "'2024-01-01Z'::timestamptz + n * interval '1 hour' AS ts, n > 0 AS ok FROM generate_series(1, 4) AS n"
        )
        connection.execute("CREATE TEMP VIEW anything AS TABLE sample")
        yield connection


@pytest.mark.parametrize("query", TAKEN)
def test_a_query_gives_what_it_gives_without_being_looked_at(query: str, sample: psycopg.Connection) -> None:
    names = {"object": "sample", "table": "sample", "published": "anything", "property": "a", "column": "a"}
    raw = query.replace("ONLY public.anything", "anything")
    for placeholder, name in names.items():
        raw = raw.replace("${" + placeholder + "}", name).replace("{" + placeholder + "}", name)
    looked_at = check(query).query.replace("ONLY public.anything", "anything")
    embedded = sql.SQL("SELECT value FROM (SELECT ({}) AS value OFFSET 0) AS m").format(
        sql.SQL(looked_at).format(object=sql.Identifier("sample"), published=sql.Identifier("anything"))
    )
    assert sample.execute(embedded).fetchone() == sample.execute(raw.encode()).fetchone()


def test_a_verdict_is_of_the_rows_that_a_check_saw_last(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    load_id = pipeline.land()
    owner = pipeline.engines.owner
    of_rows = "SELECT landing_rows FROM batchstream.verdicts WHERE load_id = %s AND check_name = 'columns'"
    for landed in (506, 507):
        admin.execute("UPDATE batchstream.loads SET landed_records = %s WHERE load_id = %s", [landed, load_id])
        verify.note_verdict(owner, load_id, verify.CheckName.COLUMNS, passed=True, message="")
        assert admin.execute(of_rows, [load_id]).fetchone() == (landed,)
    pipeline.fail(load_id, "the test has ended")


def test_a_rule_that_would_fill_the_disk_is_ended(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"type": "sql", "query": "SELECT count(*) FROM generate_series(1, 2000000)", "mustBe": 2_000_000}
    pipeline.edit_contract(lambda document: document["schema"][0]["quality"].append(rule))
    load_id = pipeline.land()
    assert pipeline.verify(load_id)[0]
    monkeypatch.setattr(check_session, "CHECK_DISK", "1MB")
    with pytest.raises(LoadError, match=r"rule 'table: SELECT count.*' can't be measured: temporary file size exceeds"):
        pipeline.verify(load_id)
    pipeline.fail(load_id, "the test has ended")


def test_no_allowed_function_changes_anything(admin: psycopg.Connection) -> None:
    # Those that are no functions but syntax of SQL.
    syntax = {"cast", "coalesce", "greatest", "least", "nullif", "trim", "grouping", "json_exists", "json_query", "json_value"}
    found = dict(
        admin.execute(
            "SELECT proname, bool_or(provolatile = 'v' OR prosecdef) FROM pg_proc "
            "WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (%s) GROUP BY proname",
            [sorted(ALLOWED_FUNCTIONS)],
        ).fetchall()
    )
    assert sorted(ALLOWED_FUNCTIONS - set(found)) == sorted(syntax)
    assert [name for name, harmful in found.items() if harmful] == []
