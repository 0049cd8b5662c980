"""Names of tables and columns in contracts and messages, and what follows from them."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchstream.contract import Contract, load_contract
from batchstream.contract.names import MAX_HANDLE_LENGTH, handle_of, quoted
from batchstream.contract.quality import no_duplicates
from batchstream.errors import ContractError
from batchstream.paths import ROOT
from batchstream.records.codec import RecordCodec
from batchstream.records.message_names import message_names
from tests.conftest import HOUSING
from tests.support.names import NAMES, ODD, possible
from tests.unit.building import edited, make_contract

LISTS = st.lists(NAMES.filter(possible), min_size=1, max_size=6, unique=True)


def contract_of(folder: Path, names: list[str], kinds: list[str], **further: Any) -> Contract:
    return make_contract(
        folder,
        [
            {"name": f"s{number}", "physicalName": name, "physicalType": kinds[number % len(kinds)]} | further
            for number, name in enumerate(names)
        ],
    )


@pytest.mark.parametrize("name", ["housing", "a", "_", "x_9", "h" * MAX_HANDLE_LENGTH])
def test_a_plain_name_is_its_own_handle(name: str) -> None:
    assert handle_of(name) == name


@given(st.text(min_size=1, max_size=63))
@example("\0")
def test_a_handle_is_safe(name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    handle = handle_of(name)
    assert re.fullmatch(r"[a-z_][a-z0-9_]*", handle)
    assert len(handle) <= MAX_HANDLE_LENGTH


def test_names_that_resemble_each_other_have_handles_of_their_own() -> None:
    names = [*ODD, "Item list", "item list", "item_list", "ITEM_LIST", "item-list", "x" * 41, "x" * 42]
    assert len({handle_of(name) for name in names}) == len(set(names))
    assert handle_of("Item list").startswith("item_list_")
    assert f"`Iris data` becomes `{handle_of('Iris data')}`" in (ROOT / "docs" / "contracts.md").read_text()
    assert handle_of("2024 sales").startswith("t_2024_sales_")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ({"name": "Item list"}, "Item list"),
        ({"name": "a.b"}, "a.b"),
        ({"name": "x", "physicalName": "public.Item list"}, "Item list"),
        ({"name": "x", "physicalName": "public.a.b"}, "a.b"),
        ({"name": "x", "physicalName": "Items"}, "Items"),
    ],
)
def test_a_table_is_called_as_it_is_written(written: dict[str, str], name: str, tmp_path: Path) -> None:
    lines = "\n    ".join(f"{field}: {value}" for field, value in written.items())
    path = edited(
        tmp_path, HOUSING, ("- name: housing\n", f"- {lines}\n"), ("  - property: topic\n    value: housing-data\n", "")
    )
    contract = load_contract(path)
    assert contract.name == name
    assert contract.dag_id == f"{contract.handle}_pipeline"
    assert contract.topic.name == f"{contract.handle.replace('_', '-')}-data"


@given(LISTS)
@example(["_", '"', "\\", "__", "\n"])
def test_messages_call_no_two_columns_the_same(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        contract = contract_of(Path(folder), names, ["int"])
    found = message_names(contract.columns)
    assert len(set(found)) == len(names)
    assert all(given == name or re.search(r'["\\\x00-\x1f]', name) for given, name in zip(found, names, strict=True))


@given(LISTS)
@example(["a\\", "b"])
@example(['":', '"', ":"])
@example([" :x", "a"])
def test_records_of_any_names_come_back(names: list[str]) -> None:
    kinds = ["int", "timestamp", "real", "text"]
    values: list[Any] = [7, "2026-01-31T10:00:00.123456", 1e-20, 'x":1,"y": \\ \u0000'.replace("\0", "")]
    with TemporaryDirectory() as folder:
        codec = RecordCodec(contract_of(Path(folder), names, kinds))
        called = message_names(contract_of(Path(folder), names, kinds).columns)
    texts = [msgspec.json.encode(values[number % 4]) for number in range(len(names))]
    value = codec.encode(texts * 3)
    assert codec.accepts(value, 3)
    decoded = codec.decode(value)
    assert [record[-1] for record in decoded.records] == [1, 2, 3]
    assert not decoded.rejected
    # As each alone is judged, slowly.
    assert [codec.examine(msgspec.json.encode(one)) for one in msgspec.json.decode(value)] == [
        record[:-1] for record in decoded.records
    ]
    for number, name in enumerate(called):
        # A value that stands twice, one that is missing, and what PostgreSQL would round or lose.
        members = [msgspec.json.encode(one) + b":" + text for one, text in zip(called, texts, strict=True)]
        twice = b"[{" + b",".join([*members, members[number]]) + b"}]"
        (rejected,) = codec.decode(twice).rejected
        assert (rejected.column, rejected.reason) == (names[number], f"column '{names[number]}' stands twice")
        (rejected,) = codec.decode(b"[{" + b",".join([*members[:number], *members[number + 1 :]]) + b"}]").rejected
        assert rejected.column == (names[number] if len(names) > 1 else names[0])
        odd = {"timestamp": b'"2026-01-31T10:00:00.1234567"', "real": b"1e-60"}.get(kinds[number % 4])
        if odd:
            members[number] = msgspec.json.encode(name) + b":" + odd
            (rejected,) = codec.decode(b"[{" + b",".join(members) + b"}]").rejected
            assert rejected.column == names[number]


def test_a_name_is_quoted_in_the_query_of_a_rule(tmp_path: Path) -> None:
    for name, mark in (("\1", '"\1"'), ('a"{b}', '"a""{{b}}"'), ("\3{object}", '"\3{{object}}"')):
        rule = {"type": "sql", "query": "SELECT count({property}) FROM {object}, {published}", "mustBe": 0}
        contract = contract_of(tmp_path, [name], ["int"], quality=[rule], unique=True)
        single, written = (check.query for check in contract.checks)
        assert single == f"SELECT count({mark}) - count(DISTINCT {mark}) FROM {{object}}"
        assert written == f"SELECT count({mark}) FROM {{object}}, {{published}}"
        assert f"{mark} IS NOT NULL" in no_duplicates("b", name).query
    assert quoted('"') == '""""'


def test_a_mark_of_ours_in_a_query_is_refused(tmp_path: Path) -> None:
    rule = {"type": "sql", "query": 'SELECT count("\2") FROM {object}', "mustBe": 0}
    with pytest.raises(ContractError, match=r"names something U\+0001, U\+0002 or U\+0003"):
        contract_of(tmp_path, ["a"], ["int"], quality=[rule])
