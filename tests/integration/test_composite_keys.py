"""Primary keys of several columns, in each way to publish."""

import re

import psycopg
import pytest
from psycopg import sql

from batchstream.contract.model import Publish
from batchstream.contract.quality import no_duplicates
from batchstream.errors import ContractError, LoadError
from batchstream.postgres import checks, relations
from tests.integration.conftest import MakeDataset
from tests.support.small import SmallDataset

TWO = {"shop": "text", "amount": "integer NULL", "day": "date"}
THREE = {"note": "text NULL", "line": "smallint", "shop": "text", "order": "bigint"}

WAYS = pytest.mark.parametrize("way", list(Publish))


@WAYS
def test_two_columns_tell_rows_apart(small: MakeDataset, way: Publish) -> None:
    dataset = small(TWO, key=["shop", "day"], publish=way)
    dataset.load([("a", 1, "2026-01-01"), ("a", 2, "2026-01-02"), ("b", 3, "2026-01-01")])
    same = dataset.rows()
    published = dataset.load(same)
    if way is Publish.MERGE:
        assert published[:3] == (0, 0, 0)
    # One row changes, one goes, one comes: each shares one part of its key with others.
    published = dataset.load([("a", 9, "2026-01-01"), ("a", 2, "2026-01-02"), ("b", 3, "2026-01-02")])
    if way is Publish.MERGE:
        assert published[:3] == (1, 1, 1)
    assert [(shop, amount, str(day)) for shop, amount, day in dataset.rows()] == [
        ("a", 9, "2026-01-01"),
        ("a", 2, "2026-01-02"),
        ("b", 3, "2026-01-02"),
    ]


@WAYS
def test_three_columns_in_an_order_of_their_own(small: MakeDataset, admin: psycopg.Connection, way: Publish) -> None:
    dataset = small(THREE, key=["order", "shop", "line"], publish=way, indexed=["shop"])
    rows = [(None, line, shop, order) for order in (1, 2) for shop in "ab" for line in (1, 2)]
    dataset.load(rows)
    assert dataset.rows() == rows
    rows = [("new", *row[1:]) if row[1:] == (2, "a", 2) else row for row in rows[1:]]
    load_id = dataset.land(rows)
    published = dataset.publish(load_id)
    if way is Publish.MERGE:
        assert published[:3] == (0, 1, 1)
    assert dataset.rows() == rows
    table = relations.target(dataset.contract) if way is Publish.MERGE else relations.landing(dataset.contract, load_id)
    found = admin.execute(
        "SELECT ARRAY(SELECT attname::text FROM unnest(indkey::int2[]) WITH ORDINALITY AS k (n, place) JOIN pg_attribute "
        "ON attrelid = indrelid AND attnum = n ORDER BY place) FROM pg_index WHERE indrelid = %s::regclass AND indisunique",
        [table.as_string(admin)],
    ).fetchall()
    assert found == [(["order", "shop", "line"],)]


@WAYS
def test_a_key_that_stands_twice_is_told_with_all_its_columns(small: MakeDataset, way: Publish) -> None:
    dataset = small(TWO, key=["shop", "day"], publish=way)
    dataset.load([("a", 1, "2026-01-01"), ("a", 2, "2026-01-02")])
    before = dataset.rows()
    with pytest.raises(
        LoadError, match=r"columns 'shop', 'day': a key must be unique, 'b, 2026-01-01' occurs 2 times, first in "
    ):
        dataset.load([("b", 1, "2026-01-01"), ("a", 2, "2026-01-02"), ("b", 3, "2026-01-01")])
    assert dataset.rows() == before


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("a", 1, "2026-01-01"), ("a", 1, "2026-01-02")], 0),
        ([("a", 1, "2026-01-01"), ("a", 1, "2026-01-01"), ("a", None, "2026-01-01"), ("a", None, "2026-01-01")], 1),
    ],
)
def test_values_that_stand_twice_are_counted(small: MakeDataset, rows: list[tuple[object, ...]], expected: int) -> None:
    """As a unique index counts: a row with NULL is like no other."""
    dataset = small(TWO, key=None)
    check = no_duplicates("shop", "amount", "day")
    load_id = dataset.land(rows)
    contract = type(dataset.contract)(**{**fields(dataset), "checks": (check,)})
    with dataset.connect() as connection:
        row = connection.execute(checks.quality_rules(contract, load_id, has_target=False)).fetchone()
    assert row is not None
    assert row[0] is (expected == 0)
    if expected:
        assert row[1] == f"shop, amount, day: duplicateValues mustBe 0: got {expected}"


def fields(dataset: SmallDataset) -> dict[str, object]:
    return {name: getattr(dataset.contract, name) for name in dataset.contract.__dataclass_fields__}


@WAYS
def test_the_guard_tells_rows_apart_by_all_columns(small: MakeDataset, way: Publish) -> None:
    dataset = small(TWO, key=["shop", "day"], publish=way)
    rows = [(f"s{n}", n, "2026-01-01") for n in range(200)]
    dataset.load(rows)
    with pytest.raises(LoadError, match=r"150 of the 200 rows of .* would be deleted, more than half"):
        dataset.load([(shop, n, "2026-01-01" if n < 50 else "2026-01-02") for shop, n, _ in rows])
    assert dataset.load([("s0", 0, "2026-01-01")], allow_deletes=True).published_rows == 1


def test_a_table_of_somebodys_own_may_have_the_key_in_another_order(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small(TWO, key=["shop", "day"])
    table = sql.Identifier(dataset.table)
    admin.execute(
        sql.SQL(
            "CREATE TABLE {0} (shop text NOT NULL, amount integer, day date NOT NULL, created_at timestamptz NOT NULL, "
            "updated_at timestamptz NOT NULL, load_id bigint NOT NULL, PRIMARY KEY (day, shop)); "
            "ALTER TABLE {0} OWNER TO batchstream_owner"
        ).format(table)
    )
    dataset.load([("a", 1, "2026-01-01"), ("b", 1, "2026-01-01")])
    assert len(dataset.rows("batchstream_owner")) == 2
    indexes = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass AND indisunique"
    assert admin.execute(indexes, [dataset.table]).fetchone() == (1,)


def test_a_table_with_a_part_of_the_key_is_refused(small: MakeDataset) -> None:
    dataset = small(TWO, key=["shop"])
    dataset.load([("a", 1, "2026-01-01")])
    other = small(TWO, key=["shop", "day"], name=dataset.table)
    said = f"has the primary key (shop), constraint '{dataset.table}_pkey', and the key of the contract is 'shop', 'day'; change"
    with pytest.raises(ContractError, match=re.escape(said)):
        other.open()


def test_what_gives_up_a_value_is_written_first_beside_an_index_of_somebodys_own(small: MakeDataset) -> None:
    dataset = small({"shop": "text", "day": "date", "place": "integer"}, key=["shop", "day"])
    dataset.load([("a", "2026-01-01", 1), ("b", "2026-01-01", 2)])
    with dataset.connect() as connection:
        connection.execute(sql.SQL("CREATE UNIQUE INDEX ON {} (day, place)").format(sql.Identifier(dataset.table)))
    dataset.load([("b", "2026-01-01", 1), ("c", "2026-01-01", 2)])
    assert [(shop, place) for shop, _, place in dataset.rows()] == [("b", 1), ("c", 2)]


@WAYS
def test_parts_that_are_too_large_together_are_told(small: MakeDataset, way: Publish) -> None:
    dataset = small({"a": "text", "b": "text"}, key=["a", "b"], publish=way)
    part = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(600))
    with pytest.raises(LoadError, match=r"record 2, columns 'a', 'b': values of one index take together at most 2704 bytes"):
        dataset.load([("x", "y"), (part, part[::-1])])
