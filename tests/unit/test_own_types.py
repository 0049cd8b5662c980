"""Types that a contract names and only the database knows: accepted without one, and told; a slip of a known name is refused."""

from pathlib import Path

import pytest

from batchstream.contract.odcs import parse_contract, read_contract
from batchstream.contract.own_types import all_known, known
from batchstream.contract.text import contract_text
from batchstream.errors import ContractError
from batchstream.postgres import as_made
from batchstream.records.codec import RecordCodec
from tests.unit.building import make_contract

MOOD = {"name": 'shop."Mood"', "base": None, "labels": ["glad", "so so"], "is_domain": False}


@pytest.mark.parametrize("text", ["mood", "shop.mood", '"Mood"', ' shop."Mood ""x"""', "größe", "public.texd", "db_name_type"])
def test_a_type_of_the_database_is_accepted_and_told(text: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "a", "physicalType": text}])
    (told,) = read_contract(contract_text(contract.path), contract.path).told
    assert told.endswith(
        f"column 'a': physicalType {text.strip()}: is looked up in the database when a load opens: an enum type or a domain"
    )
    assert f'"a" {text.strip()} NULL' in as_made.statements(contract)


@pytest.mark.parametrize(
    "text", ["texd", "varchr", "timestmp", "geometry", "tsvector", "mood[]", "mood(3)", "a.b.c", "a b", "1a", '"a', "a;b", "a--"]
)
def test_a_slip_or_no_name_at_all_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"physicalType: type '.*' is not supported; .* with its schema such as public.mood"):
        make_contract(tmp_path, [{"name": "a", "physicalType": text}])


def test_the_rules_of_a_type_that_is_not_known_yet_are_those_of_its_logical_type(tmp_path: Path) -> None:
    rules = {"logicalTypeOptions": {"minimum": 1}, "physicalType": "shop.small"}
    contract = make_contract(tmp_path, [{"name": "a", "logicalType": "integer", **rules}])
    assert contract.columns[0].rules.minimum == 1
    with pytest.raises(ContractError, match=r"minimum is not supported for shop.small"):
        make_contract(tmp_path, [{"name": "a", **rules}])


def test_the_labels_of_an_enum_type_are_the_values_of_its_column(tmp_path: Path) -> None:
    path = make_contract(tmp_path, [{"name": "a", "physicalType": "mood"}]).path
    contract = parse_contract(path.read_text(), path, types=all_known({"mood": MOOD}))
    assert contract.columns[0].type.sql == 'shop."Mood"'
    decoded = RecordCodec(contract).decode(b'[{"a":"so so"},{"a":null},{"a":"angry"}]')
    assert [values[0] for values in decoded.records] == ["so so", None]
    assert "is not shop.\"Mood\" (Invalid enum value 'angry')" in decoded.rejected[0].reason


def test_a_domain_of_an_unsupported_type_is_refused() -> None:
    with pytest.raises(ValueError, match="type 'tsvector' is not supported"):
        known({"name": "a.b", "base": "tsvector", "labels": None, "is_domain": True})
