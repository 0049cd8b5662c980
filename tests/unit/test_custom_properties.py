"""``customProperties``: those of other tools are left alone, and ours are known by their name or by their vendor."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from batchstream.contract import Contract, load_contract
from tests.conftest import ORDERS
from tests.unit.building import write_contract

OTHERS = [
    {"property": "owner", "value": "anna"},
    {"property": "dataprocClusterName", "value": ["a", "b"]},
    {"property": "topicName", "value": {"a": 1}},
    {"property": "schema-registry", "value": None},
    {"property": "topic", "value": 5, "vendor": "confluent"},
    {"property": "topik", "value": 5, "vendor": "confluent"},
    {"property": "indexed", "value": "by search", "vendor": "atlan"},
]


def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ORDERS.read_text())
    return found


def read(folder: Path, changed: dict[str, Any]) -> Contract:
    return load_contract(write_contract(folder, yaml.safe_dump(changed)))


@pytest.mark.parametrize("entry", OTHERS, ids=[f"{entry['property']} {entry.get('vendor', '')}" for entry in OTHERS])
def test_a_property_of_another_tool_changes_nothing(entry: dict[str, Any], tmp_path: Path) -> None:
    changed, columns = document(), document()["schema"][0]["properties"]
    expected = read(tmp_path, changed)
    changed["customProperties"].append(entry)
    for column in columns:
        column["customProperties"] = [entry, *column.get("customProperties", [])]
    changed["schema"][0]["properties"] = columns
    assert read(tmp_path, changed) == expected


def test_a_property_of_ours_may_name_its_vendor(tmp_path: Path) -> None:
    changed = document()
    expected = read(tmp_path, changed)
    for entry in changed["customProperties"]:
        entry["vendor"] = "batchstream"
    changed["schema"][0]["properties"][3]["customProperties"][0]["vendor"] = "batchstream"
    assert read(tmp_path, changed) == expected


def test_one_of_another_vendor_stands_beside_ours(tmp_path: Path) -> None:
    changed = document()
    changed["customProperties"].insert(0, {"property": "topic", "value": "theirs", "vendor": "confluent"})
    assert read(tmp_path, changed).topic.name == "orders-data"
