"""What a contract may say of a source in a PostgreSQL database; nothing here asks that database."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import Contract
from batchstream.contract.elsewhere import Query
from tests.unit.building import make_contract, mistake_of
from tests.unit.test_servers import LOCAL, read, written

TEXT = {"name": "t", "physicalType": "text"}


def contract(folder: Path, **settings: Any) -> Contract:
    return make_contract(folder, [TEXT], sourcePath=None, **settings)


def test_a_table_is_a_source(tmp_path: Path) -> None:
    source = contract(tmp_path, sourceTable="shop.Order lines", sourceConnection="shop").source
    assert source.path == Query("shop", ("shop", "Order lines"))
    assert str(source.path) == "connection 'shop': table shop.Order lines"


def test_a_query_keeps_its_braces_and_is_shown_in_short(tmp_path: Path) -> None:
    found = contract(tmp_path, sourceQuery=f"SELECT '{{{{1}}}}'::int[],\n {'x' * 100};", sourceConnection="shop").of_run({})
    path = found.source.path
    assert isinstance(path, Query)
    assert path.text == f"SELECT '{{{{1}}}}'::int[],\n {'x' * 100}"
    assert str(path) == f"connection 'shop': query SELECT '{{{{1}}}}'::int[], {'x' * 77}…"


def test_a_query_goes_before_what_a_server_says(tmp_path: Path) -> None:
    found = read(written(tmp_path, LOCAL, sourceTable="orders", sourceConnection="shop"))
    assert found.contract.source.path == Query("shop", ("orders",))
    assert "has no effect: customProperties say where the source is" in found.told[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sourceConnection": None}, "sourceConnection: is missing; write the id of an Airflow connection of type postgres"),
        ({"sourceConnection": "batchstream_postgres_owner"}, "sourceConnection: got 'batchstream_postgres_owner'; write the id"),
        ({"sourceTable": "a.b.c"}, "sourceTable: got 'a.b.c'; write such as public.orders"),
        ({"sourceTable": ""}, "sourceTable: got ''"),
        ({"sourceTable": 'public."a'}, "sourceTable: got 'public.\"a'; write such as public.orders"),
        ({"sourceTable": None, "sourceQuery": " ; "}, "sourceQuery: got 0 characters; write one SELECT"),
        ({"sourceQuery": "SELECT 1"}, "sourceQuery: has no meaning beside sourceTable; remove one of them"),
        ({"sourcePath": "x.csv"}, "sourcePath: has no meaning beside sourceTable"),
        ({"sourceFormat": "json"}, "sourceFormat: has no meaning beside sourceTable"),
        ({"sourceNull": "-"}, "sourceNull: has no meaning beside sourceTable"),
    ],
)
def test_a_mistake_is_told(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    given = {"sourceTable": "public.orders", "sourceConnection": "shop"} | settings
    path = written(tmp_path, **{name: value for name, value in given.items() if value is not None})
    assert mistake_of(path).removeprefix("customProperties: ").startswith(said)
