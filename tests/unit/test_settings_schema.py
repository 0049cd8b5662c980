"""The JSON schema of our own part of a contract: current, and right about contracts that are right and wrong."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from batchstream.paths import ROOT
from scripts.contract_schema import FILE, schema, text
from tests.conftest import HOUSING, ORDERS

CONTRACTS = [HOUSING, ORDERS, *sorted((ROOT / "plugins" / "batchstream" / "project").rglob("*.odcs.yaml"))]


def test_it_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run .venv/bin/python scripts/contract_schema.py and commit the file"


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_contracts_of_ours_keep_it(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("sourceFormat", "excel"),
        ("sourceHeader", "no"),
        ("topicPartitions", "3"),
        ("sourceTrim", "true"),
        ("sourceNull", 5),
        ("publish", "replace"),
    ],
)
def test_a_wrong_value_is_refused(setting: str, value: Any) -> None:
    document = {"customProperties": [{"property": setting, "value": value}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema())


def test_other_peoples_properties_and_all_of_ours_are_taken() -> None:
    taken = [
        {"property": "costCenter", "value": {"a": 1}},
        {"property": "sourceNull", "value": ["", "NA"]},
        {"property": "schedule", "value": None},
        {"property": "rejectedRecordsAllowed", "value": "1%"},
    ]
    column = {"customProperties": [{"property": "indexed", "value": True}, {"property": "unit", "value": 1}]}
    jsonschema.validate({"customProperties": taken, "schema": [{"properties": [column]}]}, schema())
