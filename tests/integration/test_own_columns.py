"""Contracts with columns that are called like ours: ours give way, and neither is ever taken for the other."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.contract.model import Publish
from batchstream.errors import ContractError, LoadError
from batchstream.postgres import checks, columns, names, relations
from tests.integration.conftest import MakeDataset
from tests.support.small import SmallDataset

WAYS = pytest.mark.parametrize("way", list(Publish))

LONG_AGO = datetime(2001, 2, 3, tzinfo=UTC)
TYPES = {
    "id": "bigint",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "load_id": "bigint",
    "record_id": "bigint",
    "batchstream_load_id": "bigint",
}


def row(number: int) -> tuple[Any, ...]:
    return (number, LONG_AGO, LONG_AGO + timedelta(number), -number, 7 * number, 1000)


def ours(dataset: SmallDataset) -> list[tuple[Any, ...]]:
    """What readers see in the columns that we add."""
    own = dataset.contract.own
    shown = [*dataset.contract.key_columns, own.created_at, own.updated_at, own.load_id]
    with dataset.connect(names.READER) as connection:
        return connection.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY 1").format(
                sql.SQL(", ").join(map(sql.Identifier, shown)), relations.target(dataset.contract)
            )
        ).fetchall()


@pytest.mark.parametrize("key", [None, "id"])
@WAYS
def test_columns_that_are_called_like_ours(small: MakeDataset, way: Publish, key: str | None) -> None:
    dataset = small(TYPES, key=key, publish=way, indexed=["created_at"])
    dataset.load([row(1), row(2)])
    loads = []
    for rows in ([row(1), row(2)], [row(1), (2, *row(3)[1:])]):
        load_id = dataset.land(rows)
        loads.append(load_id)
        with dataset.connect(names.LOADER) as connection:
            found = connection.execute(checks.row_count(dataset.contract, load_id)).fetchone()
        assert found is not None
        # Nobody has produced it, and that is all that is wrong with it.
        assert found[1].endswith("Spark read 0: lost between the topic and Spark")
        dataset.publish(load_id)
        assert dataset.rows() == rows
    (first, created, _, first_load), (second, _, updated, second_load) = ours(dataset)
    assert (first, second) == (1, 2)
    assert min(created, updated) > LONG_AGO + timedelta(days=9000)
    assert second_load == loads[-1]
    assert first_load == (loads[-1] if way is Publish.SWAP else loads[0] - 1)


def statements(message: str) -> list[str]:
    """Those that a message ends with."""
    found = re.findall(r"ALTER TABLE (?:(?! if |, or |;|: ).)+", message)
    assert found, message
    return [re.sub(r" DEFAULT …", "", one) for one in found]


def open_with_advice(dataset: SmallDataset, admin: psycopg.Connection) -> list[str]:
    """Open a load after doing what each refusal says, word for word."""
    done: list[str] = []
    while True:
        try:
            dataset.fail(dataset.open())
            return done
        except ContractError as error:
            said = re.search(r"DROP VIEW [^:]+", str(error))
            advice = [said[0]] if said else statements(str(error))
            assert not set(advice) & set(done), advice
            for statement in advice:
                admin.execute(statement)
            done += advice


@pytest.mark.parametrize("name", ["created_at", "updated_at", "load_id"])
@WAYS
def test_a_column_that_comes_later(small: MakeDataset, admin: psycopg.Connection, way: Publish, name: str) -> None:
    """Of the very type that ours has, and back again."""
    before = small({"code": "text"}, key="code", publish=way)
    before.load([("a",), ("b",)])
    (_, created, updated, load_id), *_ = ours(before)
    after = small({"code": "text", name: f"{TYPES[name]} NULL"}, key="code", publish=way, name=before.table)
    with pytest.raises(ContractError, match=f"{name}"):
        after.open()
    done = open_with_advice(after, admin)
    assert any("RENAME COLUMN" in one for one in done) is (way is Publish.MERGE or name != "updated_at")
    value = 5 if name == "load_id" else LONG_AGO
    after.load([("a", value), ("b", None)])
    assert after.rows() == [("a", value), ("b", None)]
    if way is Publish.MERGE:
        # The other row has not changed: it is as it came, under our new name.
        assert ours(after)[1] == ("b", created, updated, load_id)
    open_with_advice(before, admin)
    before.load([("a",), ("c",)])
    assert before.rows() == [("a",), ("c",)]
    (_, created_now, *_), *_ = ours(before)
    assert created_now >= created
    if way is Publish.MERGE:
        assert created_now == created


def test_a_table_of_somebodys_own_may_have_the_contracts_column(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small({"code": "text", "created_at": "timestamptz NULL"}, key="code")
    with dataset.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE TABLE {} (code text PRIMARY KEY, created_at timestamptz, updated_at timestamptz NOT NULL, "
                "load_id bigint NOT NULL)"
            ).format(sql.Identifier(dataset.table))
        )
        connection.execute(sql.SQL("INSERT INTO {} VALUES ('a', %s, now(), 0)").format(sql.Identifier(dataset.table)), [LONG_AGO])
    with pytest.raises(ContractError, match=r"or ADD COLUMN batchstream_created_at timestamp .* if it is the contract's") as said:
        dataset.open()
    admin.execute(
        f"ALTER TABLE {dataset.table} " + str(said.value).rpartition(", or ")[2].removesuffix(" if it is the contract's")
    )
    assert dataset.load([("a", LONG_AGO)])[:3] == (0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bigint NULL", "has bigint for column 'record_id', its contract says bigint NOT NULL"),
        ("bigint", "has column 'batchstream_record_id' .bigint NOT NULL., which its contract has not"),
    ],
)
def test_a_landing_of_other_columns_is_not_gone_on_with(small: MakeDataset, kind: str, said: str) -> None:
    """A value of the contract would be taken for the number of the record."""
    before = small({"code": "text", "record_id": kind}, key="code")
    load_id = before.land([("a", 5)])
    after = small({"code": "text"}, key="code", name=before.table)
    with before.connect() as connection:
        columns.compare_landing(connection, before.contract, load_id)
        with pytest.raises(LoadError, match=said):
            columns.compare_landing(connection, after.contract, load_id)
