"""Each contract of this project is valid by the standard's own JSON schema, so that other tools read it, too."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from batchstream.paths import PACKAGE, ROOT
from tests.conftest import HOUSING, ORDERS

FRUIT = PACKAGE / "project" / "dags" / "contracts" / "fruit.odcs.yaml"
SCHEMA: dict[str, Any] = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))


def test_every_contract_of_the_project_is_looked_at() -> None:
    found = {path for folder in ("dags", "plugins", "tests") for path in (ROOT / folder).rglob("*.odcs.yaml")}
    assert found == {HOUSING, ORDERS, FRUIT}


@pytest.mark.parametrize("path", [HOUSING, ORDERS, FRUIT], ids=lambda path: path.name)
def test_a_contract_is_valid_by_the_schema_of_the_standard(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    validator = validator_for(SCHEMA)(SCHEMA)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)] == []
    # What a version of the standard doesn't have, a later schema takes all the same.
    needs_new = any("enum" in prop for table in document["schema"] for prop in table["properties"])
    assert document["apiVersion"] == ("v3.2.0" if needs_new else "v3.1.0")
    assert list(validator.iter_errors({**document, "statuss": "active"})) != []
