"""Each type of column lands as the source has it, by the quick way and by the public one."""

import csv
import os
import struct
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.contract import Contract
from batchstream.postgres import copy_rows
from batchstream.postgres.landing import Landed
from tests.support.landing import Landing
from tests.support.pipeline import Pipeline


@pytest.fixture
def orders_landing(pipeline: Pipeline, admin: psycopg.Connection, orders: Contract) -> Landing:
    """Under a name of its own, as other tests load orders too."""
    return Landing(pipeline, admin, replace(orders, name=f"orders_{os.urandom(4).hex()}"))


TRUE = {"true", "t", "yes", "y", "on", "1"}
FALSE = {"false", "f", "no", "n", "off", "0"}


def _boolean(text: str) -> bool:
    assert text.lower() in TRUE | FALSE
    return text.lower() in TRUE


def _single(text: str) -> float:
    """What four bytes keep of a number."""
    (value,) = struct.unpack("<f", struct.pack("<f", float(text)))
    return float(value)


# Column of orders → PostgreSQL's type, how to read the value back in full, and how to read the source's text.
KINDS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "order_number": ("text", "{}", str),
    "customer": ("character varying(40)", "{}", str),
    "note": ("text", "{}", str),
    "ordered_on": ("date", "{}", date.fromisoformat),
    "shipped_at": ("timestamp without time zone", "{}", datetime.fromisoformat),
    "paid_at": ("timestamp with time zone", "{}", datetime.fromisoformat),
    "is_gift": ("boolean", "{}", _boolean),
    "amount": ("numeric(12,2)", "{}", Decimal),
    "quantity": ("smallint", "{}", int),
    "loyalty_points": ("bigint", "{}", int),
    "weight": ("real", "{}::double precision", _single),
    "tracking": ("uuid", "{}", uuid.UUID),
    "class": ("text", "{}", str),
}
NULLABLE = {"note", "shipped_at", "paid_at", "loyalty_points", "weight", "tracking"}


@pytest.fixture
def source_rows(orders: Contract) -> list[dict[str, str]]:
    """The source as Python's csv module reads it."""
    with orders.source.path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.mark.parametrize("quick", [True, False], ids=["quick", "by_psycopgs_public_way"])
def test_every_type_of_column_survives(
    orders_landing: Landing, source_rows: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch, quick: bool
) -> None:
    if not quick:
        monkeypatch.setattr(copy_rows, "format_row", None)
    landing = orders_landing
    assert landing.land(landing.messages) == Landed(
        messages=len(landing.values), records=len(source_rows), landed=len(source_rows)
    )
    assert landing.quarantine() == []
    assert list(source_rows[0]) == list(KINDS)
    types = landing.admin.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 1",
        [landing.table.as_string(landing.admin)],
    ).fetchall()
    assert dict(types) == {name: kind[0] for name, kind in KINDS.items()}
    for name, (_, expression, read) in KINDS.items():
        texts = [row[name] for row in source_rows]
        expected = [None if text == "" and name in NULLABLE else read(text) for text in texts]
        query = sql.SQL("SELECT {} FROM {} ORDER BY record_id").format(
            sql.SQL(expression).format(sql.Identifier(name)), landing.table
        )
        found = [value for (value,) in landing.admin.execute(query)]
        assert found == expected, name
        assert (None in found) == (name in NULLABLE), name


def test_the_source_of_that_test_holds_what_is_hard(source_rows: list[dict[str, str]]) -> None:
    notes = [row["note"] for row in source_rows]
    for part in ("\n", "\r\n", "\n\n", '"', ",", "😀", "\\N", "  spaces around  "):
        assert any(part in note for note in notes), part
    assert {"9999999999.99", "0", "0.10"} <= {row["amount"] for row in source_rows}
    assert {str(2**63 - 1), str(-(2**63)), "0", "-1", ""} <= {row["loyalty_points"] for row in source_rows}
    assert {row["is_gift"] for row in source_rows} & TRUE
    assert {row["is_gift"] for row in source_rows} & FALSE
    assert any(row["paid_at"].endswith("+05:30") for row in source_rows)
    assert any(row["paid_at"].endswith("-08:00") for row in source_rows)
    assert any("\t" in row["customer"] for row in source_rows)
    assert len(source_rows) > 100
