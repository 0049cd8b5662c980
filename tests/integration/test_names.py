"""Names of columns, datasets and indexes that meet those of our own SQL, or one another."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from batchstream import paths, postgres
from batchstream.contract.model import Publish
from batchstream.contract.own_columns import OwnColumns
from tests.integration.conftest import MakeDataset

SYSTEM = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
"""Names that PostgreSQL gives to no column."""

SOURCES = [*paths.SQL_FOLDER.rglob("*.sql"), *Path(postgres.__file__).parent.rglob("*.py")]

WORDS = sorted({word for path in SOURCES for word in re.findall(r"[a-z_][a-z0-9_]{0,62}", path.read_text())} - SYSTEM)
"""Every identifier, keyword and word of our SQL and of the code around it."""


def aliases() -> Iterator[str]:
    """Names that our SQL gives to tables and columns."""
    for path in SOURCES:
        yield from re.findall(r"\bAS ([a-z_]+)\b", path.read_text())


ALIASES = sorted({*aliases(), *OwnColumns._fields, "changed", "key", "key_1", "action", "found"})


@pytest.mark.parametrize("way", list(Publish))
def test_a_column_may_have_any_name_that_occurs_in_our_sql(small: MakeDataset, way: Publish) -> None:
    assert len(WORDS) > 500
    for names in (WORDS[n : n + 300] for n in range(0, len(WORDS), 300)):
        dataset = small(dict.fromkeys(names, "smallint NULL"), key=None, publish=way)
        for value in (1, 2):
            rows = [(value, *[3] * (len(names) - 1)), tuple([value] * len(names))]
            dataset.load(rows)
            assert dataset.rows() == rows


@pytest.mark.parametrize("way", list(Publish))
@pytest.mark.parametrize("key", ALIASES)
def test_a_key_may_be_called_like_an_alias(small: MakeDataset, way: Publish, key: str) -> None:
    dataset = small({"other_column": "integer NULL", key: "text"}, key=key, publish=way, indexed=[key])
    dataset.load([(1, "a"), (2, "b")])
    dataset.load([(9, "a"), (3, "c")])
    assert dataset.rows() == [(9, "a"), (3, "c")]


@pytest.mark.parametrize("key", [None, "code"])
@pytest.mark.parametrize("way", list(Publish))
def test_a_dataset_of_one_column(small: MakeDataset, way: Publish, key: str | None) -> None:
    dataset = small({"code": "text"}, key=key, publish=way)
    for rows in ([("a",), ("b",)], [("a",), ("c",)], []):
        dataset.load(rows)
        assert dataset.rows() == rows


def test_index_names_of_two_datasets_that_meet(small: MakeDataset, admin: psycopg.Connection) -> None:
    stem = small({"code": "text"}, key="code").table
    one = small({"code": "text", "b_c": "integer"}, key="code", indexed=["b_c"], name=stem)
    two = small({"code": "text", "c": "integer"}, key="code", indexed=["c"], name=f"{stem}_b")
    for dataset in (one, two):
        for value in (1, 2):
            dataset.load([("a", value)])
    for table, column in ((one.table, "b_c"), (two.table, "c")):
        found = admin.execute(
            "SELECT count(*) FROM pg_index JOIN pg_attribute AS a ON a.attrelid = indrelid AND a.attnum = indkey[0] "
            "WHERE indrelid = %s::regclass AND a.attname = %s",
            [table, column],
        ).fetchone()
        assert found == (1,)


def test_a_dataset_that_is_called_like_anothers_landing(small: MakeDataset, admin: psycopg.Connection) -> None:
    """Dataset ``x`` and datasets ``x_5``, ``x_6``: the names of the next loads of ``x``."""
    dataset = small({"code": "text"}, key="code")
    newest = admin.execute("SELECT max(load_id) FROM batchstream.loads").fetchone()
    first = ((newest and newest[0]) or 0) + 1
    others = [small({"code": "text"}, key="code", name=f"{dataset.table}_{first + n}") for n in range(12)]
    for other in others:
        other.load([("other",)])
    dataset.load([("a",)])
    dataset.load([("b",)])
    assert dataset.rows() == [("b",)]
    assert all(other.rows() == [("other",)] for other in others)


def test_names_of_indexes_are_free_after_a_rename(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small({"code": "text", "v": "integer"}, key="code", indexed=["v"])
    for value in range(3):
        dataset.load([("a", value)])
        admin.execute(
            sql.SQL("ALTER TABLE {} RENAME TO {}").format(*map(sql.Identifier, (dataset.table, f"{dataset.table}_{value}")))
        )
    dataset.load([("a", 9)])
    dataset.load([("a", 10)])
    assert dataset.rows() == [("a", 10)]
    # A table that somebody makes in its place gets its key, too.
    old, new = sql.Identifier(f"{dataset.table}_9"), sql.Identifier(dataset.table)
    admin.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(new, old))
    admin.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(new, old))
    admin.execute(sql.SQL("ALTER TABLE {} OWNER TO batchstream_owner").format(new))
    admin.execute(sql.SQL("GRANT SELECT ON {} TO kafka_reader").format(new))
    dataset.load([("a", 11)])
    assert dataset.rows() == [("a", 11)]
