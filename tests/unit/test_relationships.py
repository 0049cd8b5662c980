"""Foreign keys of a contract: what they check, and what is said of one that can't be checked."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.contract.model import Check
from batchstream.errors import ContractError
from tests.unit.building import make_contract


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
