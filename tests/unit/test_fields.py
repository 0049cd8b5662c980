"""Each field of the standard is done, told to have no effect, or refused; none passes without a word."""

import inspect
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from open_data_contract_standard import model as standard
from pydantic import BaseModel

from batchstream.contract import load_contract
from batchstream.contract.fields import FIELDS, WITHIN_TOLD, Effect
from batchstream.contract.odcs import read_contract
from batchstream.contract.strict import names_of
from batchstream.contract.table_contract import API_VERSIONS
from batchstream.contract.text import contract_text
from scripts.contract_fields import FILE, NAMES, with_table
from tests.conftest import HOUSING
from tests.unit.building import edited, mistakes_of, write_contract

# How to get to an object of each class in a contract.
PLACES: dict[str, tuple[str | int, ...]] = {
    "OpenDataContractStandard": (),
    "Description": ("description",),
    "SchemaObject": ("schema", 0),
    "SchemaProperty": ("schema", 0, "properties", 0),
    "EnumValue": ("schema", 0, "properties", 1, "enum", 0),
    "DataQuality": ("schema", 0, "quality", 0),
}


def test_every_field_of_the_standard_is_in_the_table() -> None:
    classes = [
        kind for _, kind in inspect.getmembers(standard, inspect.isclass) if issubclass(kind, BaseModel) and kind is not BaseModel
    ]
    assert set(classes) == {*FIELDS, *WITHIN_TOLD}
    for kind, fields in FIELDS.items():
        assert set(fields) == set(names_of(kind)), kind


def test_the_table_is_in_the_documentation() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert with_table(text) == text, "run `.venv/bin/python scripts/contract_fields.py`, and commit docs/contracts.md"
    assert set(NAMES) == {kind.__name__ for kind in FIELDS}


def value_of(kind: type[BaseModel], name: str) -> Any:
    """Something that asks for something, of the field's type."""
    wanted = str(kind.model_fields[names_of(kind)[name]].annotation)
    if wanted.startswith("list[str]") or "list[typing.Any]" in wanted:
        return ["x"]
    if "list[" in wanted:
        return [{"id": "x"}]
    for part, value in (("bool", True), ("int", 5), ("Pricing", {"priceUnit": "x"}), ("MapDefinition", {"key": {"name": "x"}})):
        if part in wanted:
            return value
    return {"name": "x"} if "SchemaProperty" in wanted else "x"


def fields(effect: Effect) -> list[Any]:
    return [
        pytest.param(kind, name, id=f"{kind.__name__}.{name}")
        for kind, found in FIELDS.items()
        if kind.__name__ in PLACES
        for name, field in found.items()
        if field.effect is effect
    ]


def document(kind: type[BaseModel], name: str) -> dict[str, Any]:
    """A contract that has the field, and where nothing else is without effect."""
    document: dict[str, Any] = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "description": {"purpose": "a"},
        "customProperties": [{"property": "sourcePath", "value": "data/x.csv"}],
        "schema": [
            {
                "name": "x",
                "quality": [{"metric": "rowCount", "mustBeGreaterThan": 0}],
                "properties": [
                    {"name": "a", "physicalType": "int"},
                    {"name": "b", "physicalType": "int", "enum": [{"value": 5}]},
                ],
            }
        ],
    }
    target: Any = document
    for part in PLACES[kind.__name__]:
        target = target[part]
    target[name] = value_of(kind, name)
    if name in ("properties", "items", "map") and kind is standard.SchemaProperty:
        target["physicalType"] = "jsonb"
    return document


@pytest.mark.parametrize(("kind", "name"), fields(Effect.TOLD))
def test_a_field_without_effect_is_told(kind: type[BaseModel], name: str, tmp_path: Path) -> None:
    path = write_contract(tmp_path, yaml.safe_dump(document(kind, name), sort_keys=False))
    (told,) = read_contract(contract_text(path), path).told
    line = int(told.partition(":")[0].removeprefix("line "))
    assert f"{name}:" in path.read_text().splitlines()[line - 1]
    assert f"{name}: has no effect: {FIELDS[kind][name].note}" in told


@pytest.mark.parametrize(("kind", "name"), fields(Effect.REFUSED))
def test_a_field_that_would_change_the_data_is_refused(kind: type[BaseModel], name: str, tmp_path: Path) -> None:
    found = mistakes_of(write_contract(tmp_path, yaml.safe_dump(document(kind, name), sort_keys=False)))
    assert any(f"{name}" in mistake and FIELDS[kind][name].note in mistake and "remove it" in mistake for mistake in found)


def test_what_stands_often_is_told_once(tmp_path: Path) -> None:
    told = read_contract(contract_text(HOUSING), HOUSING).told
    (descriptions,) = [one for one in told if "properties" in one and "description" in one]
    assert descriptions.endswith("schema[0].properties[0].description: has no effect (14 times): is for people")


@pytest.mark.parametrize("value", ["partitioned: false", "partitionKeyPosition: -1", "tags: []", "encryptedName: ''"])
def test_what_asks_for_nothing_is_not_told(value: str, tmp_path: Path) -> None:
    before = read_contract(contract_text(HOUSING), HOUSING).told
    path = edited(tmp_path, HOUSING, ("physicalType: double precision", f"physicalType: double precision\n        {value}"))
    assert len(read_contract(contract_text(path), path).told) == len(before)


def test_a_retired_data_set_has_no_schedule(tmp_path: Path) -> None:
    path = edited(tmp_path, HOUSING, ("status: active", "status: retired"))
    assert load_contract(path).schedule is None
    assert "line 7: status: retired: the DAG has no schedule" in "\n".join(read_contract(contract_text(path), path).told)


def test_another_status_is_told(tmp_path: Path) -> None:
    path = edited(tmp_path, HOUSING, ("status: active", "status: draft"))
    assert load_contract(path).schedule == "@daily"
    assert "line 7: status: draft: has no effect" in "\n".join(read_contract(contract_text(path), path).told)


def test_the_versions_of_the_standard_are_those_of_its_schema() -> None:
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    assert sorted(API_VERSIONS) == sorted(v for v in schema["properties"]["apiVersion"]["enum"] if v.startswith("v3."))


@pytest.mark.parametrize("version", API_VERSIONS)
def test_each_version_of_the_standard_is_read(version: str, tmp_path: Path) -> None:
    assert load_contract(edited(tmp_path, HOUSING, ("v3.1.0", version))).name == "housing"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("status: active", "tags: [0123, 1_000]"),
        ("        description: ", "        examples: [0068780060324]\n        description: "),
        ("status: active", "team: {name: a, comment: b}"),
        ("status: active", "servers: [{server: a, type: kafka, topic: b}]"),
    ],
    ids=["number for people", "number as example", "unknown field of a team", "unknown field of a server"],
)
def test_what_has_no_effect_need_not_be_right(old: str, new: str, tmp_path: Path) -> None:
    path = edited(tmp_path, HOUSING, (old, new))
    contract, told = read_contract(contract_text(path), path)
    assert contract.columns == load_contract(HOUSING).columns
    assert len(told) > len(read_contract(contract_text(HOUSING), HOUSING).told)


def test_an_unknown_field_of_the_source_is_refused(tmp_path: Path) -> None:
    path = edited(tmp_path, HOUSING, ("status: active", "servers: [{server: a, type: local, pth: b}]"))
    (said,) = mistakes_of(path)
    assert said == "line 7: servers[0].pth: is no field of the standard; write path"
