"""The parts of a mistake, as editors and CI need them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchstream.contract.folder import read_contracts
from tests.conftest import HOUSING, ORDERS
from tests.unit.building import edited, write_contract


def parts_of(path: Path) -> dict[str, Any]:
    (one,) = read_contracts([path]).mistakes
    parts = one.parts()
    assert parts["path"] == str(path)
    assert parts["message"] == str(one)
    json.dumps(parts, allow_nan=False)
    return {name: parts[name] for name in ("field", "rule", "found", "write")}


def test_what_was_found_may_look_like_a_sentence(tmp_path: Path) -> None:
    found = "x; got y; write z"
    assert parts_of(edited(tmp_path, HOUSING, ("kind: DataContract", f"kind: {found!r}"))) == {
        "field": "kind",
        "rule": f"kind: must be DataContract; got {found!r}",
        "found": found,
        "write": "write DataContract",
    }


@pytest.mark.parametrize(
    ("old", "new", "field", "found", "write"),
    [
        pytest.param("version: 2.1.0\n", "", "version", None, "write the version of", id="what is missing"),
        pytest.param("version: 2.1.0\n", "version: .nan\n", "version", None, "put what you wrote", id="what JSON doesn't have"),
        pytest.param("status: active", "statsu: active", "statsu", "active", "write status", id="an unknown field"),
        pytest.param("status: active", "status: 010", "status", "010", "write 10, or", id="what readers disagree about"),
        pytest.param(
            "physicalType: text", "physicalType: texd", "schema[0].properties[0].physicalType", "texd", "use one of", id="a type"
        ),
        pytest.param(
            "value: 3",
            "value: 0",
            "customProperties[2]",
            {"property": "topicPartitions", "value": 0},
            "write ",
            id="a setting",
        ),
        pytest.param("kind: ", f"kind: {'x' * 2000}", "kind", None, "write DataContract", id="a long one"),
    ],
)
def test_a_mistake_has_field_value_and_what_to_write(
    old: str, new: str, field: str, found: Any, write: str, tmp_path: Path
) -> None:
    parts = parts_of(edited(tmp_path, ORDERS, (old, new)))
    assert (parts["field"], parts["found"]) == (field, found)
    assert str(parts["write"]).startswith(write)


def test_a_setting_of_a_table_stands_where_it_is_written(tmp_path: Path) -> None:
    document = yaml.safe_load(ORDERS.read_text())
    document["schema"][0]["customProperties"] = [{"property": "publish", "value": "swop"}]
    parts = parts_of(write_contract(tmp_path, yaml.safe_dump(document)))
    assert (parts["field"], parts["found"]) == ("schema[0].customProperties[0]", {"property": "publish", "value": "swop"})


@pytest.mark.parametrize(("text", "line"), [("a: 1\nb: c: d", 2), ("a: 1\nb: *c", 2), ("- a", None), ("a: \0", None)])
def test_of_a_file_that_is_no_contract_the_line_is_told_if_it_has_one(text: str, line: int | None, tmp_path: Path) -> None:
    path = write_contract(tmp_path, text)
    (one,) = read_contracts([path]).mistakes
    assert (one.line, one.field) == (line, None)
    assert str(one).startswith(f"{path}: {'' if line is None else f'line {line}: '}")


def test_what_two_files_share_is_a_mistake_of_one(tmp_path: Path) -> None:
    first, second = tmp_path / "housing.odcs.yaml", tmp_path / "other.odcs.yaml"
    for path in (first, second):
        path.write_text(HOUSING.read_text())
    (one,) = read_contracts([first, second]).mistakes
    assert (one.path, one.found, one.parts()["write"]) == (second, "housing", "write another name")
