"""Properties that hold for any contract, any row and any bytes."""

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchstream.contract import load_contract
from batchstream.contract.model import Column
from batchstream.contract.types import parse_type
from batchstream.records.codec import MAX_RECORDS_PER_BATCH, DecodedBatch, Misfit, RecordCodec
from batchstream.records.damaged_json import array_elements
from batchstream.records.messages import MessageKey, Signer, UnknownKey, decode_key
from batchstream.records.source_reader import SourceReader
from tests.conftest import HOUSING, ORDERS
from tests.unit.building import array, order
from tests.unit.strategies import Table, as_json, as_null, sources, tables

ORDERS_CODEC = RecordCodec(load_contract(ORDERS))
HOUSING_CODEC = RecordCodec(load_contract(HOUSING))
MESSAGE = next(iter(SourceReader(load_contract(HOUSING)))).value
PIECES = [
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b'"',
    b"\\",
    b'"note":',
    b'"crim":',
    b"null",
    b"1",
    b'"x"',
    b" ",
    b"\n",
    b"\xff",
    b"\0",
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["note", "crim", "x"]), inner),
    max_leaves=20,
)
ANY_BYTES = st.one_of(
    st.binary(),
    st.binary().map(lambda content: b"[" + content + b"]"),
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(JSON, max_size=5).map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
)


def exactly(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows that are equal only if their values are the same: doubles bit for bit; timestamps with an offset are instants."""
    return [[struct.pack(">d", value) if isinstance(value, float) else (type(value), value) for value in row] for row in rows]


def values_of(decoded: DecodedBatch) -> list[tuple[Any, ...]]:
    """The good records, without their ids."""
    return [record[:-1] for record in decoded.records]


def check_account(value: bytes, decoded: DecodedBatch) -> None:
    """Every element of an array is a record or is rejected, with a reason; anything else is rejected as a whole."""
    assert all(one.reason and "\0" not in one.reason + one.raw for one in decoded.rejected)
    assert all((one.reason + one.raw).encode() for one in decoded.rejected)
    if decoded.total:
        rejected_ids = [one.position + 1 for one in decoded.rejected if one.position is not None]
        accounted = sorted([*(record[-1] for record in decoded.records), *rejected_ids])
        assert accounted == list(range(1, decoded.total + 1))
        assert len(decoded.rejected) + len(decoded.records) == decoded.total <= MAX_RECORDS_PER_BATCH
    else:
        assert [one.position for one in decoded.rejected] == [None]
        assert not decoded.records


def check_agreement(codec: RecordCodec, value: bytes, decoded: DecodedBatch) -> None:
    """Decoding the message is what examining each of its elements gives."""
    if not decoded.total:
        return
    found = [codec.examine(raw) for raw in array_elements(value)]
    assert exactly(values_of(decoded)) == exactly([one for one in found if not isinstance(one, Misfit)])
    misfits = [one for one in found if isinstance(one, Misfit)]
    assert [Misfit(one.reason, one.column) for one in decoded.rejected] == misfits
    assert codec.accepts(value, decoded.total) is (not decoded.rejected)


def elements_of(value: bytes) -> int | None:
    """The elements of an array as Python's own decoder counts them; None if it sees no array."""
    try:
        found = json.loads(value.decode())
    except (ValueError, RecursionError):
        return None
    return len(found) if isinstance(found, list) else None


@pytest.fixture(scope="module")
def source_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("source") / "x.csv"


@settings(max_examples=300, deadline=None)
@given(data=st.data(), table=tables())
def test_a_source_lands_as_it_was_written(data: st.DataObject, table: Table, source_path: Path) -> None:
    contract = replace(table.contract, source=replace(table.contract.source, path=source_path))
    content = data.draw(sources(table))
    source_path.write_bytes(content)
    codec, reader = RecordCodec(contract), SourceReader(contract)
    batches = [codec.decode(value) for _, value in reader]
    (null,), columns = contract.source.spelling.nulls, contract.columns
    expected = [tuple(as_null(column, value, null) for column, value in zip(columns, row, strict=True)) for row in table.rows]
    assert [batch.total for batch in batches[:-1]] == [MAX_RECORDS_PER_BATCH] * (len(batches) - 1)
    assert exactly([record for batch in batches for record in values_of(batch)]) == exactly(expected)
    assert reader.sha256 == hashlib.sha256(content).hexdigest()


@settings(max_examples=300, deadline=None)
@given(table=tables(max_rows=MAX_RECORDS_PER_BATCH))
def test_records_survive_json(table: Table) -> None:
    codec = RecordCodec(table.contract)
    value = codec.encode([as_json(one) for row in table.rows for one in row])
    decoded = codec.decode(value)
    assert json.loads(value)
    assert (decoded.rejected, decoded.total) == ([], len(table.rows))
    assert exactly(values_of(decoded)) == exactly(table.rows)
    check_agreement(codec, value, decoded)


@settings(max_examples=1000, deadline=None)
@given(value=ANY_BYTES, codec=st.sampled_from([ORDERS_CODEC, HOUSING_CODEC]))
def test_any_bytes_as_a_message_are_accounted_for(value: bytes, codec: RecordCodec) -> None:
    decoded = codec.decode(value)
    check_account(value, decoded)
    check_agreement(codec, value, decoded)
    elements = elements_of(value)
    if elements is not None and 1 <= elements <= MAX_RECORDS_PER_BATCH:
        assert decoded.total == elements


@settings(max_examples=300, deadline=None)
@given(note=JSON, more=st.lists(JSON, max_size=3), position=st.integers(0, 3))
def test_a_good_record_survives_any_neighbours(note: Any, more: list[Any], position: int) -> None:
    records = [order(note=json.dumps(note).encode()), *(json.dumps(one).encode() for one in more)]
    records.insert(position, order(quantity=b"7"))
    value = array(*records)
    decoded = ORDERS_CODEC.decode(value)
    check_account(value, decoded)
    assert decoded.total == len(records)
    assert 7 in [record[8] for record in decoded.records]


@st.composite
def mutated(draw: st.DrawFn, message: bytes) -> bytes:
    """A message of which a few bytes are changed, put in or taken out."""
    content = bytearray(message)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content) - 1))
        byte = draw(st.one_of(st.sampled_from(b'{}[],:"\\ \n0'), st.integers(0, 255)))
        how = draw(st.sampled_from(["change", "flip", "insert", "delete"]))
        if how == "change":
            content[at] = byte
        elif how == "flip":
            content[at] ^= 1 << byte % 8
        elif how == "insert":
            content.insert(at, byte)
        else:
            del content[at]
    return bytes(content)


FULL = array(
    order(note=b'"a \\"b\\": \\\\ \\u00e9"', shipped_at=b'"2024-03-01T00:00:00.123456"', weight=b"1e-3"),
    order(paid_at=b'"9999-12-30T23:59:59+02:00"', tracking=b'"07b22ec3-3a92-46f6-80c9-c1dfa6176fe5"'),
    order(loyalty_points=b"-9223372036854775808"),
)


@settings(max_examples=1000, deadline=None)
@given(value=mutated(FULL))
def test_a_damaged_message_is_accounted_for(value: bytes) -> None:
    decoded = ORDERS_CODEC.decode(value)
    check_account(value, decoded)
    check_agreement(ORDERS_CODEC, value, decoded)


# Of each type that has a judge of its own, a good text.
JUDGED = {
    "char(3)": "ab ",
    "name": "ab",
    "json": '{"a": [1.5, "\\\\u0000"]}',
    "jsonb": '[{"b": null}]',
    "time(3)": "23:59:59.123",
    "timetz": "09:30:00+02:00",
    "timestamp(2)": "2024-02-29T12:00:00.12",
    "interval": "1 year -2 days 03:04:05.5",
    "bytea": r"\x00ff",
    "inet": "192.0.2.7/24",
    "cidr": "2001:db8::/32",
    "macaddr": "08:00:2b:01:02:03",
    "integer[]": "{1,NULL,-3}",
    "text[]": '["a", null, "b"]',
    "numeric(9,2)[]": "[1.5,2]",
}
JUDGED_CODEC = RecordCodec(
    replace(
        load_contract(HOUSING),
        columns=tuple(
            Column(f"c{number}", parse_type(kind), nullable=number % 2 == 0, source_name=f"c{number}")
            for number, kind in enumerate(JUDGED)
        ),
        keys=(),
    )
)
JUDGED_MESSAGE = JUDGED_CODEC.encode([json.dumps(text).encode() for text in JUDGED.values()] * 2)


def test_the_message_of_those_types_is_good() -> None:
    assert JUDGED_CODEC.accepts(JUDGED_MESSAGE, 2)


@settings(max_examples=1000, deadline=None)
@given(value=mutated(JUDGED_MESSAGE))
def test_a_damaged_message_of_types_with_judges_is_accounted_for(value: bytes) -> None:
    decoded = JUDGED_CODEC.decode(value)
    check_account(value, decoded)
    check_agreement(JUDGED_CODEC, value, decoded)


@settings(max_examples=300, deadline=None)
@given(value=mutated(MESSAGE))
def test_a_damaged_message_of_numbers_is_accounted_for(value: bytes) -> None:
    decoded = HOUSING_CODEC.decode(value)
    check_account(value, decoded)
    check_agreement(HOUSING_CODEC, value, decoded)


@settings(max_examples=1000, deadline=None)
@given(key=st.one_of(st.none(), ANY_BYTES, mutated(Signer(12, 1, bytes(32)).key(345, 34_401, b"[]"))))
def test_any_bytes_as_a_key_are_a_key_or_told(key: bytes | None) -> None:
    found = decode_key(key)
    if isinstance(found, UnknownKey):
        assert found.reason.startswith("the message")
        assert "\0" not in found.reason
        assert found.reason.encode()
    else:
        assert found == MessageKey(**json.loads(key or b""))
        assert 1 <= found.batch <= found.first_record_id


@settings(max_examples=300, deadline=None)
@given(load_id=st.integers(1, 2**63 - 1), records=st.lists(st.integers(1, MAX_RECORDS_PER_BATCH), max_size=50))
def test_every_key_comes_back(load_id: int, records: list[int]) -> None:
    batch, first_record_id = len(records) + 1, sum(records) + 1
    signer = Signer(load_id, 1, bytes(32))
    found = decode_key(signer.key(batch, first_record_id, b"[]"))
    assert isinstance(found, MessageKey)
    assert (found.load_id, found.batch, found.first_record_id) == (load_id, batch, first_record_id)
    assert signer.signed(found, b"[]")
