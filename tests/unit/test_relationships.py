"""Foreign keys of a contract: what they check, and what is said of one that can't be checked."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import load_contract
from batchstream.contract.model import Check
from batchstream.errors import ContractError
from tests.support.written import as_yaml
from tests.unit.building import make_contract, write_contract


def checks_of(folder: Path, *relationships: dict[str, Any], name: str = "b") -> tuple[Check, ...]:
    return make_contract(folder, [{"name": name, "physicalType": "int", "relationships": list(relationships)}]).checks


def test_a_value_has_to_be_in_the_published_table_that_it_refers_to(tmp_path: Path) -> None:
    (check,) = checks_of(tmp_path, {"type": "foreignKey", "to": "The shops.shop {id}"}, name='a"b')
    assert check.name == 'a"b: rows whose value is not in The shops.shop {id} mustBe 0'
    assert check.query == (
        'SELECT count(*) FROM {object} AS own WHERE own."a""b" IS NOT NULL '
        'AND NOT EXISTS (SELECT FROM public."The shops" AS other WHERE other."shop {{id}}" = own."a""b")'
    )


def test_a_table_that_refers_to_itself_is_compared_with_what_has_landed(tmp_path: Path) -> None:
    (check,) = checks_of(tmp_path, {"to": "x.b"})
    assert "(SELECT FROM {object} AS other WHERE" in check.query
    assert checks_of(tmp_path, {"to": "public.y.b"})[0].query.count('public."y"') == 1


@pytest.mark.parametrize(
    ("relationship", "said"),
    [
        ({"to": "y.b", "type": "custom"}, r"relationships\[0\]\.type: got 'custom'; write foreignKey"),
        ({"to": "y"}, r"relationships\[0\]\.to: got 'y' for 1 columns; write such as customers.id"),
        ({"to": ["y.a", "y.b"]}, r"relationships\[0\]\.to: got \['y.a', 'y.b'\] for 1 columns; write such as"),
        ({"to": "https://a/b.yaml#/x.b"}, r"relationships\[0\]\.to: got .*; write such as customers.id"),
        ({}, r"relationships\[0\]\.to: got None for 1 columns"),
        ({"to": "y.b", "from": "b"}, r"relationships\[0\]\.from: got 'b'; remove it: the column refers"),
    ],
)
def test_a_relationship_that_is_none_is_told(relationship: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"column 'b': " + said):
        checks_of(tmp_path, relationship)


def checks_of_table(folder: Path, **relationship: Any) -> tuple[Check, ...]:
    """Of a relationship that stands beside the columns of the table "y", which its contract calls "T"."""
    columns = [{"name": "b", "physicalType": "int"}, {"name": "c", "physicalType": "int"}]
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "customProperties": [{"property": "sourcePath", "value": "x.csv"}],
        "schema": [{"name": "T", "physicalName": "y", "properties": columns, "relationships": [relationship]}],
    }
    return load_contract(write_contract(folder, as_yaml(document))).checks


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["b", "b"], r"got \['b', 'b'\]; write the columns that refer, each once"),
        (["b", "T.b"], r"got \['b', 'T.b'\]; write the columns that refer, each once"),
        (["b", "z"], "got 'z', which is no column of the contract"),
    ],
)
def test_columns_that_refer_are_columns_of_the_table_each_once(given: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=rf"relationships\[0\]\.from: {said}"):
        checks_of_table(tmp_path, **{"from": given, "to": ["shops.a", "shops.b"]})


@pytest.mark.parametrize("name", ["T", "y"])
def test_a_table_refers_to_itself_by_either_of_its_names(name: str, tmp_path: Path) -> None:
    (check,) = checks_of_table(tmp_path, **{"from": ["T.b", "c"], "to": [f"{name}.c", f"{name}.b"]})
    assert "(SELECT FROM {object} AS other WHERE" in check.query
