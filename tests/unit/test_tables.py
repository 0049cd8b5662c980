"""Contracts with several tables: one data set each."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchstream.cli.contract import check
from batchstream.contract import Contract, load_contract, load_contracts, parse_contract
from batchstream.contract.folder import contract_of, read_contracts, require_unique
from batchstream.contract.model import Publish
from batchstream.errors import ContractError
from batchstream.paths import CONTRACTS_VARIABLE

ITEMS = {"name": "items", "properties": [{"name": "a", "physicalType": "int"}]}
ORDERS = {
    "name": "Orders",
    "customProperties": [{"property": "sourcePath", "value": "orders.csv"}, {"property": "publish", "value": "swap"}],
    "properties": [{"name": "b", "physicalType": "text", "primaryKey": True}],
}


def write(path: Path, *tables: dict[str, Any], **settings: Any) -> Path:
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "customProperties": [{"property": name, "value": value} for name, value in ({"sourcePath": "x.csv"} | settings).items()],
        "schema": list(tables),
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CONTRACTS_VARIABLE, str(tmp_path))
    return write(tmp_path / "shop.odcs.yaml", ITEMS, ORDERS, schedule="@hourly")


def test_each_table_is_a_data_set_of_its_own(shop: Path) -> None:
    items, orders = load_contracts(shop)
    assert [(one.name, one.keys, one.publish, one.schedule) for one in (items, orders)] == [
        ("items", (), Publish.MERGE, "@hourly"),
        ("Orders", ("b",), Publish.SWAP, "@hourly"),
    ]
    assert [one.source.path.name for one in (items, orders)] == ["x.csv", "orders.csv"]
    assert len({one.topic.name for one in (items, orders)} | {one.dag_id for one in (items, orders)}) == 4


def test_the_data_sets_of_a_file_are_found(shop: Path) -> None:
    items, orders = load_contracts(shop)
    assert read_contracts() == ((items, orders), ())
    assert contract_of("items") == items
    assert contract_of("Orders") == contract_of(orders.handle) == orders
    assert load_contract(shop, "Orders") == parse_contract(shop.read_text(), shop, "Orders") == orders
    require_unique(orders)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "schema: has several tables, and none is named; got 'items', 'Orders'; name one of them"),
        ("x", "schema: has no table 'x'; got 'items', 'Orders'; name one of them"),
    ],
)
def test_a_table_that_is_not_named_or_not_there_is_told(shop: Path, table: str | None, said: str) -> None:
    with pytest.raises(ContractError) as caught:
        load_contract(shop, table)
    assert str(caught.value) == f"{shop}: {said}"
    assert caught.value.path == str(shop)
    if table is None:
        with pytest.raises(ContractError, match="none is named"):
            contract_of("shop")


def test_a_mistake_says_of_which_table_it_is(shop: Path) -> None:
    broken = ORDERS | {"properties": [{"name": "b", "physicalType": "texd"}]}
    line = write(shop, ITEMS, broken).read_text().splitlines().index("    physicalType: texd") + 1
    with pytest.raises(ContractError, match=rf"shop.odcs.yaml: line {line}: column 'b': physicalType: type 'texd'"):
        load_contracts(shop)
    with pytest.raises(ContractError, match=r"schema\[1\].properties: is empty") as caught:
        load_contracts(write(shop, ITEMS | {"properties": [{"name": "a"}]}, {"name": "b"}))
    # All of them at once, and what is said of the whole contract once.
    assert len(caught.value.mistakes) == 2


def test_a_mistake_in_one_table_leaves_the_others_their_dags(shop: Path) -> None:
    write(shop, ITEMS | {"properties": [{"name": "a", "physicalType": "texd"}]}, ORDERS)
    found = read_contracts()
    assert names_of(found.valid) == ["Orders"]
    assert ["column 'a': physicalType: type 'texd'" in mistake for mistake in found.mistakes] == [True]
    # What a task, a command and code of yours read.
    assert contract_of("Orders") == load_contract(shop, "Orders") == found.valid[0]
    for dataset in ("items", "shop"):
        with pytest.raises(ContractError, match="type 'texd'" if dataset == "shop" else "may be meant, but has a mistake"):
            contract_of(dataset)
    with pytest.raises(ContractError, match="type 'texd'"):
        load_contract(shop, "items")
    # Nobody knows which table is meant.
    with pytest.raises(ContractError, match="type 'texd'"):
        load_contract(shop)


def test_a_mistake_in_what_all_tables_share_stops_all_of_them(shop: Path) -> None:
    write(shop, ITEMS, ORDERS, schedule="often")
    found = read_contracts()
    assert (found.valid, len(found.mistakes)) == ((), 1)


def test_a_setting_of_a_table_is_told_with_its_line(shop: Path) -> None:
    setting = {"property": "publish", "value": "swop"}
    orders = ORDERS | {"customProperties": [{"property": "sourcePath", "value": "x.csv"}, setting]}
    line = write(shop, ITEMS, orders, publish="merge").read_text().splitlines().index("    value: swop")
    with pytest.raises(ContractError, match=rf"line {line}: customProperties: publish: got 'swop'") as caught:
        load_contracts(shop)
    assert len(caught.value.mistakes) == 1
    shop.write_text(shop.read_text().replace("value: swop", "value: 010"))
    with pytest.raises(ContractError, match=rf"line {line + 1}: .*got '010'") as caught:
        load_contracts(shop)
    assert len(caught.value.mistakes) == 1


def test_a_table_alone_may_have_settings_of_its_own(shop: Path) -> None:
    (orders,) = load_contracts(write(shop, ORDERS))
    assert (orders.publish, orders.source.path.name) == (Publish.SWAP, "orders.csv")


def test_contract_check_shows_each_table(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check([shop], as_json=True) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [(one["path"], one["valid"], one["dataset"]) for one in shown] == [
        (str(shop), True, "items"),
        (str(shop), True, "Orders"),
    ]
    assert '"published"."Orders"' in shown[1]["table"]


def names_of(found: tuple[Contract, ...]) -> list[str]:
    return [contract.name for contract in found]


def test_two_tables_of_one_name_or_one_topic_are_a_mistake(shop: Path) -> None:
    write(shop, ITEMS, ITEMS)
    found = read_contracts()
    assert names_of(found.valid) == ["items"]
    assert "must be unique; got 'items', as in" in found.mistakes[0]
    write(shop, ITEMS, ORDERS, topic="t")
    found = read_contracts()
    assert names_of(found.valid) == ["items"]
    assert "topic: must be of its own; got 't'" in found.mistakes[0]
