"""Columns and tables of any name that PostgreSQL can have go the whole way, in each way to publish."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from batchstream.contract.model import Publish
from batchstream.errors import LoadError
from batchstream.local.installation import Installation
from batchstream.postgres import relations
from tests.support.names import NAMES, ODD, possible
from tests.support.whole import WholeDataset

DAY = "2026-01-31 10:00:00"


def is_header(name: str) -> bool:
    """Whether a header may have it as it stands."""
    return name == name.strip() and not any(end in name for end in "\r\n") and not name.startswith("\ufeff")


def column(number: int, name: str, kind: str, **further: Any) -> dict[str, Any]:
    naming = {"name": name} if is_header(name) else {"name": f"s{number}", "physicalName": name}
    return naming | {"physicalType": kind} | further


def table_of(name: str, names: list[str], keys: list[int], maximum: int = 100) -> dict[str, Any]:
    """A text, a number with a limit, a time, a fraction, and texts."""
    kinds = ["text", "integer", "timestamp", "double precision", *["text"] * (len(names) - 4)]
    columns = [column(number, *pair) for number, pair in enumerate(zip(names, kinds, strict=True))]
    columns[1] |= {
        "logicalTypeOptions": {"maximum": maximum},
        "quality": [
            {"metric": "nullValues", "mustBe": 0},
            {"metric": "duplicateValues", "mustBe": 0},
            {"type": "sql", "query": "SELECT max({property}) FROM {object}", "mustBeLessThan": 1000},
            {"type": "sql", "query": "SELECT count({property}) FROM {published}", "mustBeGreaterThan": 0},
        ],
    }
    columns[0]["unique"] = True
    columns[3]["customProperties"] = [{"property": "indexed", "value": True}]
    for position, number in enumerate(keys, 1):
        columns[number] |= {"primaryKey": True, "primaryKeyPosition": position}
    return {"name": name, "properties": columns, "quality": [{"metric": "rowCount", "mustBeGreaterThan": 1}]}


def the_whole_way(
    installation: Installation,
    admin: psycopg.Connection,
    table: dict[str, Any],
    folder: Path,
    way: Publish,
    *beside: dict[str, Any],
) -> None:
    dataset = WholeDataset(installation, folder, table, *beside, publish=str(way), rejectedRecordsAllowed=1)
    contract = dataset.contract
    further = len(contract.columns) - 4

    def row(number: int, value: str = "x") -> tuple[Any, ...]:
        return (f"r{number}", number, DAY, 0.5, *[value] * further)

    def seen() -> list[tuple[Any, ...]]:
        return [(*row[:2], str(row[2]), *row[3:]) for row in dataset.rows(admin)]

    assert dataset.load([row(1), row(2), row(3)]).published_rows == 3
    assert seen() == [row(1), row(2), row(3)]
    changed = dataset.load([row(1), row(3, "y" if further else "x"), row(4)])
    if way is Publish.MERGE:
        # Without a key the second record and the third are others now.
        assert changed[:3] == ((1, 1 if further else 0, 1) if contract.keys else (0, 2, 0))
    after = [row(1), row(3, "y" if further else "x"), row(4)]
    assert seen() == after
    with pytest.raises(LoadError, match="rowCount mustBeGreaterThan 1: got 1"):
        dataset.load([row(1), row(500)])
    assert seen() == after
    quarantined = "SELECT column_name FROM batchstream.quarantine JOIN batchstream.loads USING (load_id) WHERE dataset = %s"
    assert admin.execute(quarantined, [contract.name]).fetchall() == [(contract.columns[1].name,)]
    table["properties"][1]["logicalTypeOptions"] = {"maximum": 600}
    dataset.write(table)
    assert "1 records replayed, published" in dataset.replay()
    assert seen() == [row(1), row(500)]
    with pytest.raises(LoadError, match="duplicateValues mustBe 0: got 1"):
        dataset.load([row(1), row(2), ("r3", *row(2)[1:])])
    assert seen() == [row(1), row(500)]


def drop(admin: psycopg.Connection, dataset: str) -> None:
    """Take away what stands under a name, for the next example."""
    found = admin.execute("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", [target(admin, dataset)]).fetchone()
    if found:
        admin.execute(
            sql.SQL("DROP {} {}").format(sql.SQL("VIEW" if found == ("v",) else "TABLE"), sql.Identifier("public", dataset))
        )
    admin.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("published", dataset)))
    admin.execute("DELETE FROM batchstream.shown WHERE dataset = %s", [dataset])
    admin.execute("UPDATE batchstream.loads SET dataset = 'gone' WHERE dataset = %s", [dataset])


def target(admin: psycopg.Connection, dataset: str) -> str:
    return sql.Identifier("public", dataset).as_string(admin)


@pytest.mark.parametrize("way", list(Publish))
def test_every_odd_name_goes_the_whole_way(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path, way: Publish
) -> None:
    table = table_of(f"All of them, {way}", ODD, [0, 1])
    the_whole_way(installation, admin, table, tmp_path / "all", way)


@pytest.mark.parametrize("way", list(Publish))
def test_a_table_beside_another_goes_the_whole_way(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path, way: Publish
) -> None:
    """The ledger has the text of the file, and knows which of its tables a load is of."""
    beside = {"name": f"beside {way}", "properties": [{"name": "a", "physicalType": "integer"}]}
    the_whole_way(installation, admin, table_of(f"last of two, {way}", list("abcde"), [0]), tmp_path / "two", way, beside)


@pytest.mark.parametrize("way", list(Publish))
@given(
    name=NAMES.filter(possible),
    names=st.lists(NAMES.filter(possible), min_size=4, max_size=8, unique=True),
    keys=st.sampled_from([[], [0], [1, 0], [2, 1], [0, 1, 2]]),
)
@example(name="public.x", names=["a\\", "b", "c", "d", "e"], keys=[1])
@example(name='"x"', names=['"', '""', "\\", "_", "__", "\\_"], keys=[0, 1])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_goes_the_whole_way(
    installation: Installation, admin: psycopg.Connection, way: Publish, name: str, names: list[str], keys: list[int]
) -> None:
    with TemporaryDirectory() as folder:
        try:
            the_whole_way(installation, admin, table_of(name, names, keys), Path(folder) / "x", way)
        finally:
            drop(admin, name)


def test_a_foreign_key_is_looked_at_before_the_publish(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path
) -> None:
    shops = {"name": "The shops", "properties": [column(0, "town", "text"), column(1, "shop {nr}", "integer")]}
    sales = {
        "name": "The sales",
        "properties": [column(0, "at", "text"), column(1, 'the "shop"', "integer"), column(2, "before", "integer")],
        "relationships": [{"from": ["at", 'the "shop"'], "to": ["The shops.town", "The shops.shop {nr}"]}],
    }
    sales["properties"][2]["relationships"] = [{"type": "foreignKey", "to": 'The sales.the "shop"'}]
    of_shops = WholeDataset(installation, tmp_path / "shops", shops)
    of_sales = WholeDataset(installation, tmp_path / "sales", sales)
    with pytest.raises(LoadError, match=r"can't be measured: relation \"public.The shops\" does not exist"):
        of_sales.load([("Bonn", 1, None)])
    of_shops.load([("Bonn", 1), ("Bonn", 2), ("Ulm", 1)])
    of_sales.load([("Bonn", 1, None), ("Bonn", None, 1), ("Ulm", 1, 1)])
    before = of_sales.rows(admin)
    with pytest.raises(LoadError, match=r"is not in The shops.town, The shops.shop {nr} mustBe 0: got 1"):
        of_sales.load([("Bonn", 1, None), ("Ulm", 2, 1)])
    with pytest.raises(LoadError, match=r'before: rows whose value is not in The sales.the "shop" mustBe 0: got 1'):
        of_sales.load([("Bonn", 1, 2)])
    assert of_sales.rows(admin) == before


def test_tables_whose_names_resemble_each_other_have_landings_of_their_own(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path
) -> None:
    names = ["Item list", "item list", "item_list", "Item_List", "item-list", "x" * 63, "x" * 62 + "y"]
    for place, name in enumerate(names):
        properties = [{"name": "a", "physicalType": "integer"}]
        WholeDataset(installation, tmp_path / str(place), {"name": name, "properties": properties}).load([[place]])
    for place, name in enumerate(names):
        found = admin.execute(sql.SQL("SELECT a, id FROM {}").format(sql.Identifier("public", name))).fetchall()
        assert found == [(place, 1)]
    assert len({relations.landing_of(name, 1).as_string(admin) for name in names}) == len(names)
