"""A column without ``physicalType`` gets the documented one of its ``logicalType``, and is told to have it."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.contract.logical import BY_OPTION, DEFAULTS
from batchstream.contract.model import Rules
from batchstream.contract.odcs import read_contract
from batchstream.contract.text import contract_text
from batchstream.contract.types import parse_type
from batchstream.paths import ROOT
from tests.conftest import HOUSING
from tests.unit.building import edited, make_contract, write_contract
from tests.unit.mistakes import Mistake, case


@pytest.mark.parametrize(
    ("logical", "options", "sql"),
    [
        *((logical, {}, physical) for logical, physical in DEFAULTS.items()),
        *((logical, {option: value}, physical) for (logical, option, value), physical in BY_OPTION.items()),
        ("timestamp", {"timezone": True}, "timestamp with time zone"),
        ("integer", {"format": "i64"}, "bigint"),
        ("number", {"format": "f64"}, "double precision"),
    ],
)
def test_a_logical_type_alone_is_enough(logical: str, options: dict[str, Any], sql: str, tmp_path: Path) -> None:
    column = {"name": "a", "logicalType": logical, **({"logicalTypeOptions": options} if options else {})}
    contract = make_contract(tmp_path, [column])
    assert [column.type.sql for column in contract.columns] == [parse_type(sql).sql]
    told = read_contract(contract_text(contract.path), contract.path).told
    assert f"column 'a': is {sql}, by default for logicalType {logical}" in [one.partition(": ")[2] for one in told]


def test_a_physical_type_has_the_last_word(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "a", "logicalType": "integer", "physicalType": "smallint"}])
    assert contract.columns[0].type.sql == "smallint"
    assert read_contract(contract_text(contract.path), contract.path).told == ()


@pytest.mark.parametrize(
    ("logical", "physical", "sql"),
    [
        ("date", "VARCHAR", "character varying"),
        ("string", "integer", "integer"),
        ("timestamp", "bigint", "bigint"),
        ("integer", "numeric(9,2)", "numeric(9,2)"),
        ("boolean", "jsonb", "jsonb"),
    ],
)
def test_where_both_types_differ_the_physical_one_decides(logical: str, physical: str, sql: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "a", "logicalType": logical, "physicalType": physical}])
    assert contract.columns[0].type.sql == sql
    (told,) = read_contract(contract_text(contract.path), contract.path).told
    assert told.endswith(f"column 'a': logicalType {logical}: has no effect: the column is {sql}, as physicalType says")


def test_a_key_that_need_not_be_there_is_told(tmp_path: Path) -> None:
    path = edited(tmp_path, HOUSING, ("required: true", "required: false\n        primaryKey: true"))
    told = read_contract(contract_text(path), path).told
    assert "line 43: column 'crim': required: false: the primary key is NOT NULL all the same" in told


@pytest.mark.parametrize(
    ("physical", "options", "said"),
    [
        ("text", {"format": "email"}, "format: email: values are not compared with it"),
        ("real", {"format": "f64"}, "format: f64: values are not compared with it, but with real"),
        ("date", {"format": "dd.MM.yyyy"}, "format: dd.MM.yyyy: dates and times are read as"),
        ("timestamptz", {"defaultTimezone": "Europe/Berlin"}, "defaultTimezone: is that of bounds"),
        ("text", {"maxItems": 3}, "maxItems: what is in the value is not looked at"),
    ],
)
def test_an_option_without_effect_is_told(physical: str, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "a", "physicalType": physical, "logicalTypeOptions": options}])
    (told,) = read_contract(contract_text(contract.path), contract.path).told
    assert f"column 'a': logicalTypeOptions: {said}" in told
    assert contract.columns[0].rules == Rules()


@pytest.mark.parametrize(
    ("physical", "options"),
    [("uuid", {"format": "uuid"}), ("date", {"format": "yyyy-MM-dd"}), ("double precision", {"format": "f64"})],
)
def test_an_option_that_says_what_is_done_anyway_is_not_told(physical: str, options: dict[str, Any], tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "a", "physicalType": physical, "logicalTypeOptions": options}])
    assert read_contract(contract_text(contract.path), contract.path).told == ()


PHYSICAL = "logicalType: number\n        physicalType: double precision"


@pytest.mark.parametrize(
    "mistake",
    [
        case("no type at all", PHYSICAL, "businessName: a", "column 'crim'", "physicalType is missing", "write one of smallint"),
        case("a vector", PHYSICAL, "logicalType: vector", "column 'crim'", "got 'vector'", "write a physicalType, one of"),
        case("no logical type", PHYSICAL, "logicalType: int", "column 'crim'", "got 'int'", "such as string, integer"),
    ],
)
def test_a_mistake_is_told(mistake: Mistake, tmp_path: Path) -> None:
    mistake.is_told(HOUSING, tmp_path)


def test_the_defaults_are_in_the_documentation() -> None:
    text = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    for logical, physical in DEFAULTS.items():
        assert f"| `{logical}` | `{physical}` |" in text
    for (logical, option, value), physical in BY_OPTION.items():
        said = "false" if value is False else value
        assert f"| `{logical}` with `{option}: {said}` | `{physical}` |" in text


def test_what_is_told_is_of_the_text_and_not_of_the_file(tmp_path: Path) -> None:
    text = HOUSING.read_text()
    assert read_contract(text, write_contract(tmp_path, "")).told == read_contract(text, HOUSING).told
