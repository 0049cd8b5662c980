"""What a contract may have Spark compute: each mistake and what to write, and the columns of source and table."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.contract.expressions import names_in
from tests.support.written import as_yaml
from tests.unit.building import make_contract, mistakes_of, write_contract

A = {"name": "a", "physicalType": "integer"}
N = {"name": "n", "physicalType": "numeric"}
B = {"name": "b", "physicalType": "text"}


def derived(expression: str, **further: Any) -> dict[str, Any]:
    return {"name": "d", "physicalType": "text", "transformLogic": expression, **further}


def setting(name: str, value: object) -> dict[str, Any]:
    return {"customProperties": [{"property": name, "value": value}]}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("medv / rm", {"medv", "rm"}),
        ("upper(trim(`Odd name`))", {"Odd name"}),
        ("to_date(d, 'dd.MM.yyyy')", {"d"}),
        ("transform(some, x -> x + b)", {"some", "b"}),
        ("case when a > 1 then b else c end -- why", {"a", "b", "c"}),
        ("current_timestamp()", set()),
        ("nested.part", {"nested"}),
        ("map('a', a)", {"a"}),
        ("named_struct('x', a, 'y', array(b))", {"a", "b"}),
    ],
)
def test_the_columns_that_an_expression_reads(expression: str, names: set[str]) -> None:
    assert names_in(expression) == names


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("sum(a)", "with an aggregate"),
        ("row_number() over (order by a)", "with a window"),
        ("(select 1)", "with a query"),
        ("a in (select a from b)", "with a query"),
        ("explode(a)", "with rows of its own"),
        ("a; b", "which is no expression"),
        ("a as b", "which is no expression"),
        ("*", "with a star"),
        ("drop table a", "which is no expression"),
        ("a +", "line 1, column 3"),
        ("", "which is no expression"),
        ("a" * 10_001, "write at most 10,000"),
    ],
)
def test_what_is_no_expression_over_a_record(expression: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"expression|at most|line 1") as refused:
        names_in(expression)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("properties", "settings", "told"),
    [
        ([A, derived("sum(a)")], {}, "column 'd': transformLogic: got 'sum(a)', with an aggregate"),
        ([A, derived("z")], {}, "column 'd': transformLogic: reads 'z', which is no column of the source; write one of a"),
        ([A, derived("d")], {}, "reads 'd', which is no column of the source"),
        ([A, {**A, "name": "A"}, derived("a")], {}, "reads 'a', which may be 'a' or 'A', as Spark minds no capitals"),
        ([N, derived("n")], {}, "reads 'n', which is numeric, and a decimal of Spark has at most 38 digits"),
        ([A], {"recordFilter": "z > 1"}, "customProperties: recordFilter: reads 'z', which is no column of the source"),
        ([derived("1")], {}, "has transformLogic in each column; write the columns of the source, too"),
        ([A, derived("a", **setting("sourceNull", "x"))], {}, "sourceNull: has no meaning beside transformLogic"),
        ([A, derived("a", **setting("stored", True))], {}, "stored: has no meaning beside transformLogic"),
        ([A, {**B, "primaryKey": True, **setting("stored", False)}], {}, "stored: got false, but primaryKey needs the column"),
        ([A, {**B, "unique": True, **setting("stored", False)}], {}, "stored: got false, but unique needs the column"),
    ],
)
def test_mistakes(tmp_path: Path, properties: list[dict[str, Any]], settings: dict[str, Any], told: str) -> None:
    made = make_contract(tmp_path, [A])
    document = {
        **{"apiVersion": "v3.1.0", "kind": "DataContract", "version": "1.0.0"},
        "customProperties": [{"property": name, "value": value} for name, value in {"sourcePath": "x", **settings}.items()],
        "schema": [{"name": "x", "properties": properties}],
    }
    found = mistakes_of(write_contract(tmp_path, as_yaml(document)))
    assert made.name == "x"
    assert len(found) == 1
    assert told in found[0]


def test_what_source_and_table_have(tmp_path: Path) -> None:
    contract = make_contract(
        tmp_path, [{**A, "primaryKey": True}, derived("concat(b, A)"), {**B, **setting("stored", False)}], recordFilter="a > 1"
    )
    assert [column.name for column in contract.columns] == ["a", "d"]
    assert [column.name for column in contract.incoming.columns] == ["a", "b"]
    assert [column.name for column in contract.derived.columns] == ["d"]
    assert (contract.keys, contract.incoming.keys, contract.derived.keys) == (("a",), ("a",), ())
    assert contract.required_transform.read == ("a", "b")


def test_what_is_said_of_another_system_computes_nothing(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [A, derived("sel t1.x from t1", transformSourceObjects=["t1"])])
    assert contract.transform is None
    assert [column.name for column in contract.columns] == ["a", "d"]
