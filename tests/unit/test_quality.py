"""Quality rules: the SQL of each kind, and what is said of a rule that can't be measured."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from open_data_contract_standard.model import DataQuality

from batchstream.contract import load_contract
from batchstream.contract.model import Check
from batchstream.contract.odcs import read_contract
from batchstream.contract.quality import expected_row_count, no_duplicates, read_check
from batchstream.contract.text import contract_text
from tests.conftest import HOUSING
from tests.unit.building import edited, mistake_of, write_contract
from tests.unit.mistakes import Mistake, case


def sql(query: str, column: str | None = None) -> str:
    check = read_check(DataQuality(type="sql", query=query, mustBe=0), column, "x")
    assert check is not None
    return check.query


@pytest.mark.parametrize(
    ("operator", "bound", "condition"),
    [
        ("mustBe", 5, "{value} = (5)"),
        ("mustNotBe", -5, "{value} <> (-5)"),
        ("mustBeGreaterThan", 0, "{value} > (0)"),
        ("mustBeGreaterOrEqualTo", 0.5, "{value} >= (0.5)"),
        ("mustBeLessThan", 1e-7, "{value} < (0.0000001)"),
        ("mustBeLessOrEqualTo", 1e22, "{value} <= (10000000000000000000000)"),
        ("mustBeBetween", [22.5328055, 22.5328065], "{value} BETWEEN (22.5328055) AND (22.5328065)"),
        ("mustNotBeBetween", [-1, 1], "{value} NOT BETWEEN (-1) AND (1)"),
    ],
)
def test_an_operator_becomes_a_condition_with_the_digits_as_written(operator: str, bound: Any, condition: str) -> None:
    check = read_check(DataQuality(metric="rowCount", **{operator: bound}), None, "x")
    assert check is not None
    assert (check.query, check.condition) == ("SELECT count(*) FROM {object}", condition)
    assert check.name.startswith(f"table: rowCount {operator} ")


@pytest.mark.parametrize(
    ("metric", "query"),
    [
        ("nullValues", 'SELECT count(*) FROM {object} WHERE "a" IS NULL'),
        ("missingValues", 'SELECT count(*) FROM {object} WHERE "a" IS NULL OR "a"::text = \'\''),
        ("duplicateValues", 'SELECT count("a") - count(DISTINCT "a") FROM {object}'),
    ],
)
def test_a_metric_becomes_a_query(metric: str, query: str) -> None:
    check = read_check(DataQuality(metric=metric, mustBe=0), "a", "x")
    assert check == Check(f"a: {metric} mustBe 0", query, "{value} = (0)")


@pytest.mark.parametrize(
    ("rule", "column", "query"),
    [
        (
            {"metric": "nullValues", "unit": "percent"},
            "a",
            'SELECT coalesce(100.0 * (count(*) FILTER (WHERE "a" IS NULL)) / nullif(count(*), 0), 0) FROM {object}',
        ),
        (
            {"metric": "missingValues", "arguments": {"missingValues": [None, "", "n/a", "it's {0}"]}},
            "a",
            "SELECT count(*) FROM {object} WHERE \"a\" IS NULL OR \"a\"::text IN ('', 'n/a', 'it''s {{0}}')",
        ),
        (
            {"metric": "missingValues", "arguments": {"missingValues": [-1]}},
            "a",
            "SELECT count(*) FROM {object} WHERE \"a\"::text IN ('-1') OR to_jsonb(\"a\") IN ('-1')",
        ),
        (
            {"metric": "invalidValues", "arguments": {"validValues": ["x", True], "pattern": "^x{1}$"}},
            "a",
            'SELECT count(*) FROM {object} WHERE "a" IS NOT NULL AND '
            "(NOT (\"a\"::text IN ('x', 'true') OR to_jsonb(\"a\") IN ('true')) OR \"a\"::text !~ '^x{{1}}$')",
        ),
        (
            {"metric": "duplicateValues", "arguments": {"properties": ["A", "b"]}},
            None,
            'SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {object} WHERE "a" IS NOT NULL AND "b" IS NOT NULL '
            'GROUP BY "a", "b") AS g',
        ),
    ],
)
def test_arguments_and_units_become_part_of_a_query(rule: dict[str, Any], column: str | None, query: str) -> None:
    check = read_check(DataQuality(**rule, mustBe=0), column, "x", {"A": "a", "b": "b"})
    assert check is not None
    assert check.query == query
    assert check.name.endswith("mustBe 0 percent") is ("unit" in rule)


@pytest.mark.parametrize(
    ("severity", "stops"),
    [(None, True), ("error", True), ("critical", True), ("warning", False), ("Info", False), ("warn", False)],
)
def test_a_rule_stops_a_publish_unless_it_is_a_warning(severity: str | None, stops: bool) -> None:
    rule = DataQuality(metric="rowCount", mustBe=5, severity=severity)
    check = read_check(rule, None, "x")
    assert check is not None
    assert check.stops_publish is stops
    assert expected_row_count(rule) == (5 if stops else None)


@pytest.mark.parametrize(
    ("rule", "why"), [("type: custom\n        engine: soda", "it is for soda"), ("type: text", "it is a text for people")]
)
def test_a_rule_that_is_not_measured_is_told(rule: str, why: str, tmp_path: Path) -> None:
    path = edited(tmp_path, HOUSING, ("type: library\n        metric: rowCount\n        mustBe: 506", rule))
    found = read_contract(contract_text(path), path)
    assert (found.contract.expected_records, found.contract.checks[0].name) == (None, "crim: nullValues mustBe 0")
    assert [told for told in found.told if told.endswith(f"506 tracts: is not measured: {why}")]


@pytest.mark.parametrize("braces", ["{object}", "${object}", "{table}", "${table}", "{model}"])
def test_a_query_names_the_landing_in_several_ways(braces: str) -> None:
    assert sql(f"SELECT 1 FROM {braces};") == "SELECT 1 FROM {object}"


@pytest.mark.parametrize("braces", ["{property}", "${property}", "{column}", "${column}", "{field}"])
def test_a_query_names_its_column_in_several_ways(braces: str) -> None:
    assert sql(f"SELECT {braces}", "a") == 'SELECT "a"'


def test_other_braces_of_a_query_stay_as_they_are() -> None:
    query = sql("SELECT '{\"a\": {}}'::jsonb FROM {object}")
    assert query.format(object="landing") == "SELECT '{\"a\": {}}'::jsonb FROM landing"


def test_a_name_is_the_rules_own() -> None:
    check = read_check(DataQuality(name="mine", rule="rowCount", mustBe=0), None, "x")
    assert check is not None
    assert check.name == "mine"


def test_a_rule_for_people_is_no_check() -> None:
    assert read_check(DataQuality(type="text", description="handle with care"), None, "x") is None


def test_what_a_rule_may_say_of_rows_and_errors_is_let_pass() -> None:
    assert read_check(DataQuality(metric="rowCount", mustBe=1, unit="rows", severity="error"), None, "x") is not None


def test_a_key_promises_no_duplicates() -> None:
    assert no_duplicates("a") == read_check(DataQuality(metric="duplicateValues", mustBe=0), "a", "x")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({"metric": "rowCount", "mustBe": 506}, 506, id="a number of rows"),
        pytest.param({"rule": "rowCount", "mustBe": 0}, 0, id="the older name of metric"),
        pytest.param({"metric": "rowCount", "mustBeGreaterThan": 5}, None, id="more rows than"),
        pytest.param({"metric": "rowCount", "mustBe": True}, None, id="true"),
        pytest.param({"metric": "nullValues", "mustBe": 5}, None, id="another metric"),
    ],
)
def test_the_expected_rows_are_told_by(rule: dict[str, Any], expected: int | None) -> None:
    assert expected_row_count(DataQuality(**rule)) == expected


def test_a_rule_that_stands_twice_is_checked_once(tmp_path: Path) -> None:
    rule = "          - type: library\n            metric: nullValues\n            mustBe: 0\n"
    contract = load_contract(edited(tmp_path, HOUSING, (rule, rule * 2)))
    assert [check.name for check in contract.checks].count("crim: nullValues mustBe 0") == 1


def test_a_contract_need_not_say_how_many_rows_there_are(tmp_path: Path) -> None:
    assert load_contract(edited(tmp_path, HOUSING, ("mustBe: 506", "mustBeGreaterThan: 506"))).expected_records is None


TABLE = "schema[0].quality[0]"
CRIM = "column 'crim': quality[0]"
MEDV = "column 'medv': quality[1]"
MEDV_FIELD = "schema[0].properties[13].quality[1]"
QUERY = "query: SELECT avg({property}) FROM {object}"
BETWEEN = "mustBeBetween: [22.5328055, 22.5328065]"
ROWS = "metric: rowCount"

NULLS = "metric: nullValues"


def valid(arguments: str) -> str:
    return f"metric: invalidValues\n            arguments: {{{arguments}}}"


def pairs(properties: str) -> str:
    return f"metric: duplicateValues\n        arguments: {{properties: {properties}}}"


MISTAKES = [
    case("unknown kind", "type: library", "type: magic", TABLE, "got 'magic'", "write library, sql, custom or text"),
    case("sql without query", QUERY, "tags: []", MEDV, "needs a query", "write query: SELECT ..."),
    case("no metric", f"{ROWS}\n", "tags: []\n", TABLE, "metric is missing", "use rowCount"),
    case("unknown metric", "rowCount", "rows", TABLE, "metric 'rows' can't be measured here", "use rowCount"),
    case("column's metric of a table", "rowCount", "nullValues", TABLE, "metric 'nullValues'", "or a rule of type sql"),
    case("table's metric of a column", "nullValues", "rowCount", CRIM, "'rowCount'", "nullValues, missingValues, invalidValues"),
    case("arguments", ROWS, f"{ROWS}\n        arguments: {{a: 1}}", TABLE, "a has no meaning", "or a rule of type sql"),
    case("percent", ROWS, f"{ROWS}\n        unit: percent", TABLE, "unit: got 'percent'", "write rows or remove it"),
    case("unit", ROWS, f"{ROWS}\n        unit: bytes", TABLE, "unit: got 'bytes'", "write rows or percent"),
    case("no valid values", NULLS, "metric: invalidValues", CRIM, "needs arguments", "write validValues or pattern"),
    case("a value as list", NULLS, valid("validValues: 5"), CRIM, "validValues: got 5", "write a list of values"),
    case("a list in a list", NULLS, valid("validValues: [[]]"), CRIM, "validValues: got [[]]", "write a list of values"),
    case("other argument", NULLS, valid("values: [5]"), CRIM, "values has no meaning", "write validValues or pattern"),
    case("broken pattern", NULLS, valid("pattern: '['"), CRIM, "pattern: got '['", "write a regular expression of RE2"),
    case("pattern of RE2 alone", NULLS, valid("pattern: '^\\pL'"), CRIM, "pattern: got", "RE2 and PostgreSQL both know"),
    case("number as pattern", NULLS, valid("pattern: 5"), CRIM, "pattern: got 5", "write a regular expression"),
    case("duplicates of nothing", ROWS, "metric: duplicateValues", TABLE, "needs arguments", "write the columns"),
    case("duplicates of none", ROWS, pairs("[]"), TABLE, "properties: got []", "write a list of values"),
    case("duplicates of a stranger", ROWS, pairs("[crim, x]"), TABLE, "properties: got 'x'", "write one of crim, zn"),
    case(
        "columns of a column",
        NULLS,
        "metric: duplicateValues\n            arguments: {properties: [crim]}",
        CRIM,
        "has a column already",
        "under the table only",
    ),
    case("no operator", "mustBe: 506", "tags: []", TABLE, "exactly one operator, got none", "write one of mustBe, mustNotBe"),
    case("two operators", "mustBe: 506", "mustBe: 506\n        mustNotBe: 5", TABLE, "got mustBe, mustNotBe", "write one of"),
    case("text as bound", "mustBe: 506", "mustBe: many", TABLE, "mustBe: got 'many'", "write 1 number"),
    case("true as bound", "mustBe: 506", "mustBe: true", TABLE, "mustBe: got True", "write 1 number"),
    case("NaN as bound", "mustBe: 506", "mustBe: .nan", TABLE, "mustBe: got nan", "write 1 number"),
    case("infinity as bound", "mustBe: 506", "mustBeLessThan: .inf", TABLE, "mustBeLessThan: got inf", "write 1 number"),
    case("two bounds for one", "mustBe: 506", "mustBe: [1, 2]", TABLE, "mustBe: got [1, 2]", "write 1 number"),
    case("one bound for two", BETWEEN, "mustBeBetween: [1]", f"{MEDV_FIELD}.mustBeBetween", "got [1]", "the standard says"),
    case("bounds upside down", BETWEEN, "mustBeBetween: [2, 1]", MEDV, "got [2, 1]", "write the smaller number first"),
    case(
        "column in a table's query", f"library\n        {ROWS}", "sql\n        query: '{property}'", TABLE, "only under", "name"
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: Mistake, tmp_path: Path) -> None:
    mistake.is_told(HOUSING, tmp_path)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        pytest.param([{"metric": "rowCount", "mustBeGreaterThan": n} for n in range(5001)], "rules; write at most 5,000"),
        pytest.param([{"type": "sql", "query": "SELECT 1" + " " * 9990, "mustBe": n} for n in range(11)], "at most 100,000"),
    ],
    ids=["many rules", "long queries"],
)
def test_all_rules_together_have_a_limit(rules: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    document = yaml.safe_load(HOUSING.read_text())
    document["schema"][0]["quality"] = rules
    found = mistake_of(write_contract(tmp_path, yaml.safe_dump(document)))
    assert found.startswith("quality: ")
    assert said in found
