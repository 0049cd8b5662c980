"""Messages: one bad record costs one record, and no message whatsoever is an error."""

import json
import struct
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from batchstream.contract import Contract
from batchstream.records.codec import RecordCodec
from batchstream.records.damaged_json import array_elements
from batchstream.records.shown import shorten
from batchstream.records.source_reader import SourceReader
from tests.unit.building import ORDER, array, order

MB = 1_000_000
TRACKING = UUID("07b22ec3-3a92-46f6-80c9-c1dfa6176fe5")


@pytest.fixture(scope="module")
def codec(orders: Contract) -> RecordCodec:
    return RecordCodec(orders)


def case(name: str, *values: Any) -> object:
    return pytest.param(*values, id=name)


def test_a_good_record_becomes_values_of_its_columns(codec: RecordCodec) -> None:
    paid = b'"2024-02-29T01:02:03.000004+02:00"'
    record = order(note='"ж \\u00e9 \\n 😀"'.encode(), shipped_at=b'"2024-03-01T00:00:00"', paid_at=paid, weight=b"1e-3")
    decoded = codec.decode(array(record, order(tracking=b'"%s"' % str(TRACKING).encode(), loyalty_points=b"-5")))
    assert (decoded.total, decoded.rejected) == (2, [])
    first, second = decoded.records
    assert (first[-1], second[-1]) == (1, 2)
    assert first[:5] == ("AB-0001", "Ada", "ж é \n 😀", date(2024, 2, 29), datetime(2024, 3, 1))
    assert first[5] == datetime(2024, 2, 28, 23, 2, 3, 4, tzinfo=UTC)
    assert first[6:-1] == (True, Decimal("12.50"), 3, None, 0.001, None, "express")
    assert second[2:6] == (None, date(2024, 2, 29), None, None)
    assert second[9:12] == (-5, None, TRACKING)


def test_the_names_of_a_record_may_come_in_any_order(codec: RecordCodec) -> None:
    names = list(reversed(ORDER))
    backwards = b"{" + b",".join(b'"' + name.encode() + b'" :\n' + ORDER[name] for name in names) + b"}"
    assert codec.decode(b"[\t" + backwards + b"\r\n]").records == codec.decode(array(order())).records


def test_a_batch_is_encoded_as_an_array_in_the_contracts_order(codec: RecordCodec) -> None:
    value = codec.encode([*ORDER.values()] * 100)
    assert value == array(*[order()] * 100)
    assert codec.accepts(value, 100)
    assert not codec.accepts(value, 99)
    assert [list(record) for record in json.loads(value)] == [list(ORDER)] * 100


BAD_VALUES = [
    case("NULL where it is not allowed", "customer", b"null", "is not character varying(40) NOT NULL"),
    case("text for a number", "quantity", b'"3"', "is not smallint NOT NULL"),
    case("true for a number", "quantity", b"true", "is not smallint NOT NULL"),
    case("a number for text", "note", b"3", "is not text"),
    case("a number for true", "is_gift", b"1", "is not boolean NOT NULL"),
    case("an object for text", "note", b'{"a":[1]}', "is not text"),
    case("NaN", "weight", b"NaN", "is not real"),
    case("Infinity", "weight", b"Infinity", "is not real"),
    case("NaN as text for a decimal", "amount", b'"NaN"', "is a text, not numeric(12,2)"),
    case("1e400", "weight", b"1e400", "is not real"),
    case("more than four bytes hold", "weight", b"3.5e38", "is not real"),
    case("less than four bytes hold", "weight", b"1e-60", "is not zero, but too small for that type"),
    case("a bare word", "note", b"oops", "is not text"),
    case("a leading zero", "quantity", b"03", "is not smallint NOT NULL"),
    case("nothing", "quantity", b"", "is not smallint NOT NULL"),
    case("a fraction for an integer", "quantity", b"1.5", "is not smallint NOT NULL"),
    case("an integer out of range", "quantity", b"32768", "<= 32767"),
    case("an integer of 65 bits", "loyalty_points", b"9223372036854775808", "is not bigint"),
    case("an endless integer", "loyalty_points", b"9" * 5000, "is not bigint"),
    case("too many digits after the point", "amount", b"1.005", "does not fit numeric(12,2)"),
    case("too many digits before the point", "amount", b"10000000000", "at most 10 digits before the point and 2 after it"),
    case("a decimal of a huge exponent", "amount", b"1e999999", "does not fit numeric(12,2)"),
    case("an exponent that no Decimal has", "amount", b"1e999999999999999999999", "is not numeric(12,2)"),
    case("such an exponent of zero", "amount", b"0e999999999999999999999", "is not numeric(12,2)"),
    case("such an exponent below zero", "amount", b"1e-999999999999999999999", "is not numeric(12,2)"),
    case("a decimal below its minimum", "amount", b"-0.01", "must be >= 0"),
    case("a number below its minimum", "quantity", b"0", ">= 1"),
    case("a value that is not allowed", "class", b'"overnight"', "is not text NOT NULL"),
    case("a text against its pattern", "order_number", b'"AB-1"', "does not match the pattern ^[A-Z]{2}-"),
    case("too short a text", "customer", b'""', "length >= 1"),
    case("too long a text", "customer", b'"' + b"x" * 41 + b'"', "length <= 40"),
    case("5 MB of text", "customer", b'"' + b"x" * 5 * MB + b'"', "(5000002 characters) is not character varying(40)"),
    case("5 MB of digits", "amount", b"1" * 5 * MB, "(5000000 characters) does not fit"),
    case("deep nesting", "note", b"[" * 50_000 + b"]" * 50_000, "(100000 characters) is not text"),
    case("bytes that are not UTF-8", "note", b'"\xff"', r'"\xff" is not text'),
    case("U+0000, escaped", "note", rb'"a\u0000b"', "holds U+0000, which PostgreSQL's text can't store"),
    case("U+0000, raw", "note", b'"a\0b"', r'"a\x00b" is not text'),
    case("the first half of a pair", "note", rb'"\ud83d"', "is not text"),
    case("the second half of a pair", "note", rb'"\ude00 x"', "is not text"),
    case("a pair turned round", "note", rb'"\ude00\ud83d"', "is not text"),
    case("half a pair in UTF-8", "note", b'"\xed\xa0\xbd"', "is not text"),
    case("a raw line break in a text", "note", b'"a\nb"', "is not text"),
    case("a day that is not", "ordered_on", b'"2023-02-29"', "is not date NOT NULL"),
    case("an offset where none belongs", "shipped_at", b'"2024-02-29T00:00:00Z"', "is not timestamp without time zone"),
    case(
        "no offset where one belongs",
        "paid_at",
        b'"2024-02-29T00:00:00"',
        "is not timestamp with time zone (write 2026-01-31 23:59:59+00:00, with an offset)",
    ),
    case("nanoseconds", "shipped_at", b'"2024-02-29T00:00:00.1234567"', "at most 6 digits of a second"),
    case("a time before year 1", "paid_at", b'"0001-01-01T00:00:00+01:00"', "not in the years 1 to 9999 of UTC"),
    case("a time after year 9999", "paid_at", b'"9999-12-31T23:59:59-01:00"', "not in the years 1 to 9999 of UTC"),
    case("half a UUID", "tracking", b'"07b22ec3-3a92"', "is not uuid"),
]


@pytest.mark.parametrize("position", [0, 57, 99])
@pytest.mark.parametrize(("column", "value", "reason"), BAD_VALUES)
def test_one_bad_record_of_a_hundred_costs_one(column: str, value: bytes, reason: str, position: int, codec: RecordCodec) -> None:
    bad = order(**{column: value})
    records = [order(quantity=str(number + 1).encode()) for number in range(100)]
    records[position] = bad
    decoded = codec.decode(array(*records), 301)
    others = [number for number in range(100) if number != position]
    assert (decoded.total, [record[-1] for record in decoded.records]) == (100, [301 + number for number in others])
    assert [record[8] for record in decoded.records] == [number + 1 for number in others]
    (rejected,) = decoded.rejected
    assert (rejected.position, rejected.raw) == (position, bad.decode("utf-8", "backslashreplace").replace("\0", "\\x00"))
    assert rejected.reason.startswith(f"column '{column}': ")
    assert rejected.column == column
    assert reason in rejected.reason
    assert len(rejected.reason) < 300


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        case("an unknown column", order()[:-1] + b',"extra":1}', "column 'extra' is not in the contract"),
        case("a column in capitals", order().replace(b"note", b"Note"), "column 'Note' is not in the contract"),
        case("a name with U+0000", rb'{"\u0000":1}', "column '<U+0000>' is not in the contract"),
        case("a name of 5 MB", b'{"' + b"x" * 5 * MB + b'":1}', f"column '{'x' * 80}… (5000000 characters)' is not in the"),
        case("a missing column", order().replace(b'"note":null,', b""), "column 'note' is missing"),
        case("no column", b"{}", "column 'order_number' is missing"),
        case("a name twice", order()[:-1] + b',"class":"express"}', "column 'class' stands twice"),
        case("an empty name", order()[:-1] + b',"":7}', "column '' is not in the contract"),
        case("a name twice, once escaped", order()[:-1] + rb',"cl\u0061ss" : "express"}', "column 'class' stands twice"),
        case("a name that is half a pair", rb'{"\ud800":1}', "the record is not JSON: "),
        case("no colon", b'{"note"}', "the record is not JSON: expected a name and a colon, got '\"note\"'"),
        case("a name without quotes", b"{note:1}", "the record is not JSON: expected a name and a colon, got 'note:1'"),
        case("two values", order(quantity=b"1 2"), "column 'quantity': 1 2 is not smallint"),
        case("a number", b"17", "the record is not a JSON object but begins with '17'"),
        case("null", b"null", "the record is not a JSON object but begins with 'null'"),
        case("an array", b"[1,2]", "the record is not a JSON object but begins with '[1,2]'"),
        case("nothing", b" ", "the record is not a JSON object but empty"),
        case("something after its end", order() + b"x", "the record is not JSON: expected } and the end at byte"),
    ],
)
def test_a_record_is_rejected_for(raw: bytes, reason: str, codec: RecordCodec) -> None:
    decoded = codec.decode(array(order(), raw, order()))
    assert (decoded.total, [record[-1] for record in decoded.records]) == (3, [1, 3])
    (rejected,) = decoded.rejected
    assert (rejected.position, rejected.raw) == (1, raw.strip().decode())
    assert rejected.reason.startswith(reason)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        case("null", None, "the message has no value (null)"),
        case("no byte", b"", "the message is not a JSON array but empty"),
        case("blanks", b" \n ", "the message is not a JSON array but empty"),
        case("no JSON", b"hello", "the message is not a JSON array but begins with 'hello'"),
        case("an object", order(), 'the message is not a JSON array but begins with \'{"order_number"'),
        case("a number", b"5", "the message is not a JSON array but begins with '5'"),
        case("an empty array", b"[ ]", "the array is empty"),
        case("101 records", array(*[order()] * 101), "the array holds 101 records, at most 100 are allowed"),
        case("bytes that are not UTF-8", b"\xff\xfe", r"the message is not a JSON array but begins with '\\xff\\xfe'"),
        case("a byte order mark", b"\xef\xbb\xbf" + array(order()), "the message is not a JSON array but begins with"),
        case("UTF-16", array(order()).decode().encode("utf-16-le"), "the message is not JSON: expected"),
        case("U+0000", b"\0", r"the message is not a JSON array but begins with '\\x00'"),
        case("5 MB of one letter", b"x" * 5 * MB, "the message is not a JSON array but begins with 'xxxxxxxxxxxxxxxxxxxx'"),
        case("half an array", array(order())[:-1], "the message is not JSON: its end is missing"),
        case("half a text", b'["', "the message is not JSON: the quote at byte 1 is not closed"),
        case("opening brackets", b"[" * 100_000, "the message is not JSON: its end is missing"),
        case("opening objects", b'[{"note":' * 100_000, "the message is not JSON: its end is missing"),
        case("something after the end", array(order()) + b" x", "the message is not JSON: expected ] and the end at byte"),
        case("two arrays", array(order()) * 2, "the message is not JSON: expected ] and the end at byte"),
        case("the wrong bracket", array(order())[:-1] + b"}", "the message is not JSON: expected ] and the end at byte"),
    ],
)
def test_a_message_is_rejected_for(value: bytes | None, reason: str, codec: RecordCodec) -> None:
    decoded = codec.decode(value)
    assert (decoded.total, list(decoded.records)) == (0, [])
    (rejected,) = decoded.rejected
    assert rejected.position is None
    assert rejected.raw == (value or b"").decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    assert rejected.reason.startswith(reason)
    assert value is None or not codec.accepts(value, 1)


@pytest.mark.parametrize("dataset", ["housing", "orders"])
def test_decoding_at_once_agrees_with_decoding_one_by_one(dataset: str, request: pytest.FixtureRequest) -> None:
    contract: Contract = request.getfixturevalue(dataset)
    codec = RecordCodec(contract)
    for _, value in SourceReader(contract):
        decoded = codec.decode(value)
        assert repr([record[:-1] for record in decoded.records]) == repr([codec.examine(raw) for raw in array_elements(value)])


@pytest.mark.parametrize("note", [rb'"\":"', rb'"\\"', b'"a : b"', rb'"\":\":\":"', rb'"\\\":"', rb'"\\u0000"', b'":01.1234567"'])
def test_a_text_like_json_is_a_text(note: bytes, codec: RecordCodec) -> None:
    record = order(note=note)
    expected = json.loads(record)["note"]
    assert [found[2] for found in codec.decode(array(record, record)).records] == [expected] * 2
    doubled = record[:-1] + b',"note":' + note + b"}"
    assert [one.reason for one in codec.decode(array(record, doubled)).rejected] == ["column 'note' stands twice"]


def test_a_negative_zero_keeps_its_sign(codec: RecordCodec) -> None:
    ((*_, weight, _, _, _),) = codec.decode(array(order(weight=b"-0.0"))).records
    assert struct.pack(">d", weight) == b"\x80" + bytes(7)


def test_a_long_value_is_shown_by_its_beginning() -> None:
    assert shorten("x" * 80) == "x" * 80
    assert shorten("x" * 81) == "x" * 80 + "… (81 characters)"
