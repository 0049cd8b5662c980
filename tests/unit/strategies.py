"""Random contracts, and random values of their columns in two spellings: a source's and JSON's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from batchstream.contract.allowance import Allowance
from batchstream.contract.model import Column, Contract, Publish, Topic
from batchstream.contract.source import Source, SourceFormat
from batchstream.contract.spelling import Spelling
from batchstream.contract.types import ColumnType, parse_type

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
SIMPLE = [
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "text",
    "boolean",
    "date",
    "timestamp",
    "timestamptz",
    "uuid",
]
NUMERICS = st.integers(1, 60).flatmap(lambda p: st.integers(0, p).map(lambda s: f"numeric({p},{s})"))
TYPES = st.one_of(st.sampled_from(SIMPLE), NUMERICS, st.integers(1, 30).map(lambda n: f"varchar({n})")).map(parse_type)
# Text that PostgreSQL can store; the first ones make CSV, JSON and the look for names that stand twice work.
CHARACTERS = st.one_of(st.sampled_from('",\n\r:\\{}[] ;\t'), st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
OFFSETS = st.integers(-(15 * 60 + 59), 15 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day from the ends of the calendar, so that no offset leads out of it.
EARLIEST, LATEST = datetime(1, 1, 2), datetime(9999, 12, 30)
FLAGS = {True: ["true", "t", "yes", "y", "on", "1", "TRUE", "Yes"], False: ["false", "f", "no", "n", "off", "0", "False", "OFF"]}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """A contract and rows of it."""

    contract: Contract
    rows: list[Row]


def values(kind: ColumnType) -> st.SearchStrategy[Any]:
    if kind.python is int:
        return st.integers(int(kind.minimum or 0), int(kind.maximum or 0))
    if kind.python is float:
        return st.floats(allow_nan=False, allow_infinity=False, width=32 if kind.sql == "real" else 64)
    if kind.python is str:
        text = st.text(CHARACTERS, max_size=kind.max_length or 40)
        return text if (kind.max_length or 40) < 4 else text | st.sampled_from(["", "\\N", "NULL"])
    if kind.python is datetime:
        return st.datetimes(EARLIEST, LATEST, timezones=st.one_of(st.just(UTC), OFFSETS) if kind.has_zone else st.none())
    if kind.python is Decimal:
        digits = st.integers(1 - 10 ** (kind.precision or 1), 10 ** (kind.precision or 1) - 1)
        return digits.map(lambda number: decimal(number, kind.scale or 0))
    others: dict[type, st.SearchStrategy[Any]] = {bool: st.booleans(), date: st.dates(), UUID: st.uuids()}
    return others[kind.python]


def required(kind: ColumnType, null: str) -> st.SearchStrategy[Any]:
    """Values of a column that is NOT NULL: what stands for NULL is none of them, but for the empty text."""
    return values(kind).filter(lambda value: value != null or null == "")


def decimal(number: int, scale: int) -> Decimal:
    """number / 10**scale, exactly: arithmetic would round to the context's digits."""
    return Decimal((int(number < 0), tuple(int(digit) for digit in str(abs(number))), -scale))


@st.composite
def tables(draw: st.DrawFn, max_rows: int = 230) -> Table:
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    delimiter, null = draw(st.sampled_from([",", ";", "\t", "|", "→"])), draw(st.sampled_from(["", "\\N", "NULL"]))
    spelling = Spelling(nulls=(null,))
    columns = tuple(
        Column(name, draw(TYPES), nullable=draw(st.booleans()), source_name=name, spelling=spelling) for name in names
    )
    source = Source(
        Path("no source"),
        SourceFormat.CSV,
        delimiter,
        spelling,
        root=Path("/"),
        open_end=True,
        others_ignored=draw(st.booleans()),
    )
    contract = Contract(
        path=Path("no contract"),
        name="x",
        version="1.0.0",
        description="",
        columns=columns,
        keys=(),
        source=source,
        topic=Topic("x-data", partitions=1, replication_factor=1, retention_days=1),
        checks=(),
        expected_records=None,
        rejected_records_allowed=Allowance(),
        publish=Publish.MERGE,
        schedule=None,
    )
    cells = [st.none() | values(column.type) if column.nullable else required(column.type, null) for column in columns]
    some = draw(st.lists(st.tuples(*cells), min_size=1, max_size=6))
    # More than a batch without drawing each row.
    repeats = draw(st.integers(1, max(1, max_rows // len(some))))
    return Table(contract, some * repeats)


def as_null(column: Column, value: Any, null: str) -> Any:
    """The documented rule: in a nullable column, the field that stands for NULL is NULL."""
    return None if column.nullable and value == null else value


@st.composite
def sources(draw: st.DrawFn, table: Table) -> bytes:
    """The rows of a table as CSV; every spelling is drawn once for the whole file, and so is the order of the columns."""
    contract = table.contract
    quoted = draw(st.booleans()) or len(contract.columns) == 1
    # Places of the contract's columns, and of others that it doesn't know.
    order = draw(st.permutations([*range(len(contract.columns)), *([-1] if contract.source.others_ignored else [])]))
    # A file whose lines end with CR has no LF, also within quotes.
    has_line_feeds = any("\n" in value for row in table.rows for value in row if isinstance(value, str))
    ends = ["\n", "\r\n"] if has_line_feeds or any("\n" in column.name for column in contract.columns) else ["\n", "\r\n", "\r"]
    end, prefix = draw(st.sampled_from(ends)), draw(st.sampled_from(["", "\ufeff"]))
    flag, separator = draw(st.integers(0, 7)), draw(st.sampled_from(" T"))
    delimiter = contract.source.delimiter

    def field(value: Any) -> str:
        if value is None:
            (text,) = contract.source.spelling.nulls
        elif isinstance(value, bool):
            text = FLAGS[value][flag]
        elif isinstance(value, datetime):
            text = value.isoformat(separator)
        elif isinstance(value, Decimal):
            text = format(value, "f")
        else:
            text = value if isinstance(value, str) else str(value)
        if quoted or any(character in text for character in ('"', "\r", "\n", delimiter)):
            return '"' + text.replace('"', '""') + '"'
        return text

    def line(values: Sequence[str], other: str) -> list[str]:
        return [values[place] if place >= 0 else other for place in order]

    names = line([column.name for column in contract.columns], "no column of it")
    lines = [names, *(line([field(value) for value in row], "no value of it") for row in table.rows)]
    return (prefix + end.join(delimiter.join(line) for line in lines) + draw(st.sampled_from(["", end]))).encode()


def as_json(value: Any) -> bytes:
    return format(value, "f").encode() if isinstance(value, Decimal) else msgspec.json.encode(value)
