"""Sources without a fault: spellings, line ends, quotes, the batches they become and their checksum."""

import csv
import hashlib
import io
import json
import struct
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import Contract
from batchstream.errors import SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.source_reader import MAX_BATCH_BYTES, SourceReader, check_header
from tests.unit.building import make_contract, write_source

NUMBERS: list[dict[str, Any]] = [
    {"name": "a", "physicalType": "double precision", "required": True},
    {"name": "b", "physicalType": "smallint", "required": True},
]
TEXTS: list[dict[str, Any]] = [
    {"name": "t", "physicalType": "text", "required": True},
    {"name": "n", "physicalType": "text"},
]


def decoded(contract: Contract) -> list[tuple[Any, ...]]:
    """The records of a source, by way of its messages."""
    codec = RecordCodec(contract)
    batches = [codec.decode(batch.value) for batch in SourceReader(contract)]
    assert not any(batch.rejected for batch in batches)
    return [record[:-1] for batch in batches for record in batch.records]


def read(contract: Contract, content: bytes) -> list[tuple[Any, ...]]:
    write_source(contract, content)
    return decoded(contract)


def literal(tmp_path: Path, physical: str, field: str) -> Any:
    contract = make_contract(tmp_path, [{"name": "a", "physicalType": physical, "required": True}])
    ((value,),) = read(contract, f"a\n{field}\n".encode())
    return value


def test_housing_is_six_batches_with_exactly_the_sources_numbers(housing: Contract) -> None:
    reader = SourceReader(housing)
    sent = list(reader)
    header, *lines = housing.source.path.read_text(encoding="ascii").splitlines()
    batches = [json.loads(value, parse_float=str, parse_int=str) for _, value in sent]
    assert [len(batch) for batch in batches] == [100] * 5 + [6]
    assert [batch.first_record_id for batch in sent] == [1, 101, 201, 301, 401, 501]
    records = [record for batch in batches for record in batch]
    assert [list(record) for record in records] == [header.split()] * 506
    assert [list(record.values()) for record in records] == [line.split() for line in lines]
    assert (reader.records, reader.batches) == (506, 6)
    assert reader.sha256 == hashlib.sha256(housing.source.path.read_bytes()).hexdigest()


def test_housing_gives_the_same_bytes_each_time(housing: Contract) -> None:
    assert list(SourceReader(housing)) == list(SourceReader(housing))


def test_orders_keeps_every_text_as_the_file_has_it(orders: Contract) -> None:
    rows = list(csv.DictReader(io.StringIO(orders.source.path.read_bytes().decode(), newline="")))
    records = decoded(orders)
    assert len(records) == len(rows)
    assert [record[:2] for record in records] == [(row["order_number"], row["customer"]) for row in rows]
    assert [record[2] for record in records] == [row["note"] or None for row in rows]
    assert [record[7] for record in records] == [Decimal(row["amount"]) for row in rows]


@pytest.mark.parametrize(
    ("physical", "field", "value"),
    [
        ("double precision", ".5", 0.5),
        ("double precision", "5.", 5.0),
        ("double precision", "+1", 1.0),
        ("double precision", "-.5e-3", -0.0005),
        ("double precision", "007", 7.0),
        ("double precision", "00.50", 0.5),
        ("double precision", "1E5", 1e5),
        ("double precision", "5e-324", 5e-324),
        ("double precision", "0.1", 0.1),
        ("double precision", "1.7976931348623157e308", 1.7976931348623157e308),
        ("integer", "+1", 1),
        ("integer", "-007", -7),
        ("integer", "000", 0),
        ("integer", "  12\t", 12),
        ("integer", "130.0", 130),
        ("integer", "-5.", -5),
        ("integer", "-0.000", 0),
        ("integer", ".0", 0),
        ("integer", "1.3e2", 130),
        ("integer", "1300E-1", 130),
        ("integer", "0e-5", 0),
        ("bigint", "9007199254740993.0", 9007199254740993),
        ("bigint", "9223372036854775807.00", 2**63 - 1),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("numeric(4,2)", "+012.5", Decimal("12.50")),
        ("numeric(4,2)", "1.25e1", Decimal("12.50")),
        ("boolean", "T", True),
        ("boolean", "on", True),
        ("boolean", " 1 ", True),
        ("boolean", "YES", True),
        ("boolean", "f", False),
        ("boolean", "No", False),
        ("boolean", "0", False),
        ("date", " 2024-02-29 ", date(2024, 2, 29)),
        ("timestamp", "2024-02-29 01:02:03.5", datetime(2024, 2, 29, 1, 2, 3, 500000)),
        ("timestamp", "2024-02-29T01:02:03", datetime(2024, 2, 29, 1, 2, 3)),
        ("timestamptz", "2024-02-29 01:02:03+02", datetime(2024, 2, 28, 23, 2, 3, tzinfo=UTC)),
        ("timestamptz", "2024-02-29 01:02:03.123456+02", datetime(2024, 2, 28, 23, 2, 3, 123456, tzinfo=UTC)),
        ("timestamptz", "2024-02-29 01:02:03-0230", datetime(2024, 2, 29, 3, 32, 3, tzinfo=UTC)),
        ("timestamptz", "2024-02-29T01:02:03Z", datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)),
        ("text", "  spaces stay ", "  spaces stay "),
        ("text", "NULL", "NULL"),
        ("text", "\\N", "\\N"),
        ("text", "1", "1"),
        ("text", '"say ""hello"""', 'say "hello"'),
        ("text", '"a,b"', "a,b"),
    ],
)
def test_a_value_may_be_spelled(physical: str, field: str, value: Any, tmp_path: Path) -> None:
    found = literal(tmp_path, physical, field)
    assert (type(found), found) == (type(value), value)


def test_a_negative_zero_stays_negative(tmp_path: Path) -> None:
    assert struct.pack(">d", literal(tmp_path, "double precision", "-0.0")) == b"\x80" + bytes(7)


@pytest.mark.parametrize("file_format", ["whitespace", "csv"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"a,b\n1,2\n3,4\n", id="LF"),
        pytest.param(b"a,b\r\n1,2\r\n3,4\r\n", id="CRLF"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n3,4\n", id="a byte order mark"),
        pytest.param(b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4\r\n\r\n", id="a byte order mark, CRLF and a blank line"),
        pytest.param(b"a,b\n1,2\n3,4\n\n\r\n\n", id="blank lines at the end"),
        pytest.param(b"a,b\n+1,2\n03.,04\n", id="spellings that JSON doesn't know"),
        pytest.param(b" a , b \n 1 , 2 \n 3 , 4 \n", id="blanks around"),
    ],
)
def test_a_file_may_have(file_format: str, content: bytes, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, NUMBERS, sourceFormat=file_format)
    content = content.replace(b",", b" \t ") if file_format == "whitespace" else content
    assert read(contract, content) == [(1.0, 2), (3.0, 4)]
    reader = SourceReader(contract)
    assert [len(json.loads(value)) for _, value in reader] == [2]
    assert reader.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("records", [1, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("odd", [None, 0, 99, 100], ids=["plain", "odd first", "odd 100th", "odd 101st"])
def test_batches_are_of_a_hundred_and_what_is_left(records: int, odd: int | None, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, NUMBERS)
    lines = [f"{number},{number}" if number != odd else f'"+{number}",{number}' for number in range(records)]
    content = "\n".join(["a,b", *lines, ""]).encode()
    assert read(contract, content) == [(float(number), number) for number in range(records)]
    reader = SourceReader(contract)
    sizes = [len(json.loads(value)) for _, value in reader]
    assert sizes == [100] * (records // 100) + ([records % 100] if records % 100 else [])
    assert (reader.records, reader.batches) == (records, len(sizes))
    assert reader.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("quote", ["", '"'], ids=["plain", "field by field"])
def test_a_hundred_records_that_are_too_large_for_one_message_are_several(quote: str, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(400)]
    contract = make_contract(tmp_path, [{"name": name, "physicalType": "double precision", "required": True} for name in names])
    rows = [[float(f"{record}.{column:03}123456789") for column in range(len(names))] for record in range(250)]
    lines = [",".join(names), *(",".join(f"{quote}{value}{quote}" for value in row) for row in rows)]
    assert read(contract, "\n".join([*lines, ""]).encode()) == [tuple(row) for row in rows]
    reader = SourceReader(contract)
    batches = list(reader)
    sizes = [len(json.loads(value)) for _, value in batches]
    assert sizes == [50, 50, 50, 50, 50]
    assert [batch.first_record_id for batch in batches] == [1, 51, 101, 151, 201]
    assert max(len(value) for _, value in batches) <= MAX_BATCH_BYTES
    assert (reader.records, reader.batches) == (250, 5)


def test_a_record_that_is_too_large_for_a_batch_is_one_alone(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(6)]
    contract = make_contract(tmp_path, [{"name": name, "physicalType": "text", "required": True} for name in names])
    small, large = ",".join("abcdef"), ",".join(letter * 100_000 for letter in "abcdef")
    write_source(contract, "\n".join([",".join(names), small, small, large, small, ""]).encode())
    found = [(batch.first_record_id, len(json.loads(batch.value))) for batch in SourceReader(contract)]
    assert found == [(1, 2), (3, 1), (4, 1)]


@pytest.mark.parametrize(
    ("null", "row", "record"),
    [
        pytest.param("", "x,", ("x", None), id="empty is NULL"),
        pytest.param("", 'x,""', ("x", None), id="quoted empty is NULL too"),
        pytest.param("", ",y", ("", "y"), id="empty is the empty text where NULL is not allowed"),
        pytest.param("\\N", "x,\\N", ("x", None), id="another word for NULL"),
        pytest.param("\\N", "x,", ("x", ""), id="empty is a text beside another word"),
        pytest.param("NULL", "x,null", ("x", "null"), id="the word has to be the same"),
    ],
)
def test_of_null(null: str, row: str, record: tuple[str | None, ...], tmp_path: Path) -> None:
    assert read(make_contract(tmp_path, TEXTS, sourceNull=null), f"t,n\n{row}\n".encode()) == [record]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " ", "→"])
def test_another_delimiter_separates(delimiter: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [*NUMBERS, *TEXTS], sourceDelimiter=delimiter)
    rows = ["a,b,t,n", '1,2,"x,y",z'.replace(",", delimiter)]
    assert read(contract, f"{rows[0].replace(',', delimiter)}\n{rows[1]}\n".encode()) == [(1.0, 2, f"x{delimiter}y", "z")]
    plain = make_contract(tmp_path, NUMBERS, sourceDelimiter=delimiter)
    assert read(plain, f"a{delimiter}b\n1{delimiter}2\n".encode()) == [(1.0, 2)]


def test_a_quoted_field_keeps_its_line_breaks(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, TEXTS)
    assert read(contract, b't,n\r\n"1\n\n2","3\r\n4"\r\n5,"6\r7"\r\n') == [("1\n\n2", "3\r\n4"), ("5", "6\r7")]


def test_a_record_after_line_breaks_in_quotes_has_its_lines_number(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [*NUMBERS, *TEXTS])
    write_source(contract, b'a,b,t,n\n1,2,"x\n\ny",z\n3,4,"\n",\n5,oops,"\n\n",\n')
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract))
    assert str(caught.value).startswith(f"{contract.source.path}: line 7, column 'b': expected smallint NOT NULL, got 'oops'")


def test_the_header_alone_can_be_checked(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, NUMBERS)
    write_source(contract, b"a,b\nwhat,ever\n")
    check_header(contract)
    write_source(contract, b"a,c\n1,2\n")
    with pytest.raises(SourceError, match=r"line 1: the header is not the contract's: missing 'b'; unexpected 'c';"):
        check_header(contract)
