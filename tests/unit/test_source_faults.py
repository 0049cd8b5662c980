"""Sources with a fault: each is told by file, line, column and value, and nothing of its batch is sent."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import Contract
from batchstream.errors import SourceError
from batchstream.records.messages import Batch
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract, write_source

A: dict[str, Any] = {"name": "a", "physicalType": "double precision", "required": True, "logicalTypeOptions": {"minimum": 0}}
B: dict[str, Any] = {"name": "b", "physicalType": "smallint", "required": True}
TEXT: dict[str, Any] = {"name": "t", "physicalType": "text", "required": True}
NULLABLE_B = {"name": "b", "physicalType": "smallint"}

KINDS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "whitespace": ([A, B], {"sourceFormat": "whitespace"}),
    "csv": ([A, B], {"sourceFormat": "csv"}),
    "csv with NULL": ([A, NULLABLE_B], {"sourceFormat": "csv", "sourceNull": "\\N"}),
}


@pytest.fixture(params=KINDS)
def contract(request: pytest.FixtureRequest, tmp_path: Path) -> Contract:
    properties, settings = KINDS[request.param]
    return make_contract(tmp_path, properties, **settings)


def fault_of(contract: Contract) -> str:
    """What is said of a source, after the name of the file."""
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract))
    said = str(caught.value)
    assert said.startswith(f"{contract.source.path}: ")
    return said.removeprefix(f"{contract.source.path}: ")


def written(contract: Contract, content: bytes) -> bytes:
    """The source in the contract's format; commas stand for its delimiter."""
    content = content if contract.source.format == "csv" else content.replace(b",", b" ")
    write_source(contract, content)
    return content


def case(name: str, content: bytes, begin: str, *parts: str) -> object:
    return pytest.param(content, begin, parts, id=name)


HEADER = "line 1: the header is not the contract's:"
FAULTS = [
    case("an empty file", b"", "the source is empty; expected the header 'a', 'b'"),
    case("a header only", b"a,b\n", "the source has a header but no record", "write at least one"),
    case(
        "no line end", b"a,b", "the last line has no line end, so the file may be cut off; end it", "sourceFinalNewline: optional"
    ),
    case("half a last line", b"a,b\n1,2\n3,", "the last line has no line end, so the file may be cut off"),
    case("a header and blank lines", b"a,b\n\n\n", "the source has a header but no record"),
    case("another header", b"x,y\n1,2\n", f"{HEADER} missing 'a', 'b'; unexpected 'x', 'y'; mend the source, its format or the"),
    case("a short header", b"a\n1\n", f"{HEADER} missing 'b'; mend"),
    case("a long header", b"a,b,c\n1,2,3\n", f"{HEADER} unexpected 'c'; mend"),
    case("a name twice", b"a,b,a\n1,2,3\n", f"{HEADER} too often 'a'; mend"),
    case("a header in capitals", b"A,B\n1,2\n", f"{HEADER} missing 'a', 'b'; unexpected 'A', 'B'; mend"),
    case("no header", b"1,2\n", f"{HEADER} missing 'a', 'b'; unexpected '1', '2'; mend"),
    case("a blank line first", b"\na,b\n1,2\n", f"{HEADER} missing 'a', 'b'; mend"),
    case(
        "a header of 12 columns", b",".join([b"x%d" % n for n in range(12)]) + b"\n", f"{HEADER} missing", "'x9' and 2 more; mend"
    ),
    case("two byte order marks", b"\xef\xbb\xbf" * 2 + b"a,b\n1,2\n", f"{HEADER} missing 'a'; unexpected '<U+FEFF>a'; mend"),
    case("a name with what can't be seen", "a,b\u200b\n".encode(), f"{HEADER} missing 'b'; unexpected 'b<U+200B>'; mend"),
    case("a header that is not UTF-8", b"\xff,b\n1,2\n", "line 1, byte 1 of the line: expected UTF-8, got b'\\xff'", "UTF-8"),
    case("a short line", b"a,b\n1,2\n3\n", "line 3: the line is too short: expected 2 fields, got 1: 3;", "mend the source"),
    case("a long line", b"a,b\n1,2\n3,4,5\n", "line 3: the line is too long: expected 2 fields, got 3: 3", "mend the source"),
    case(
        "a long and a short line",
        b"a,b\n1,2,3\n4\n",
        "2 of 2 records",
        "\n  line 2: the line is too long: expected 2 fields, got 3: 1",
    ),
    case(
        "a short and a long line",
        b"a,b\n1\n2,3,4\n",
        "2 of 2 records",
        "\n  line 2: the line is too short: expected 2 fields, got 1: 1",
    ),
    case("a blank line in the middle", b"a,b\n1,2\n\n3,4\n", "line 3: the line is blank, but records follow; remove it"),
    case(
        "two blank lines in the middle",
        b"a,b\n1,2\n\n\n3,4\n",
        "2 of 4 records",
        "\n  line 3: the line is blank",
        "\n  line 4: the",
    ),
    case("blank lines, CRLF", b"a,b\r\n1,2\r\n\r\n3,4\r\n", "line 3: the line is blank, but records follow"),
    case("bytes that are not UTF-8", b"a,b\n1,2\n3,\xe9\n", "line 3, byte 3 of the line: expected UTF-8, got b'\\xe9'"),
    case("half of a character", b"a,b\n1,2\n3,4\xc3\n", "line 3, byte 4 of the line: expected UTF-8, got b'\\xc3'"),
]


@pytest.mark.parametrize(("content", "begin", "parts"), FAULTS)
def test_a_file_is_refused_for(content: bytes, begin: str, parts: tuple[str, ...], contract: Contract) -> None:
    written(contract, content)
    said = fault_of(contract)
    assert said.startswith(begin)
    assert [part for part in parts if part not in said] == []


VALUES = [
    case("a word for a number", b"a,b\n1,2\nx,3\n", "line 3, column 'a': expected double precision NOT NULL, got 'x'", "-12.5"),
    case("two points", b"a,b\n1,2\n1.2.3,3\n", "line 3, column 'a': expected double precision", "got '1.2.3'"),
    case("a thousands separator", b"a,b\n1,2\n1_000,3\n", "line 3, column 'a': ", "got '1_000'"),
    case("a hexadecimal number", b"a,b\n1,2\n0x1f,3\n", "line 3, column 'a': ", "got '0x1f'"),
    case("two signs", b"a,b\n1,2\n--1,3\n", "line 3, column 'a': ", "got '--1'"),
    case("an exponent alone", b"a,b\n1,2\ne5,3\n", "line 3, column 'a': ", "got 'e5'"),
    case("an exponent without digits", b"a,b\n1,2\n1e,3\n", "line 3, column 'a': ", "got '1e'"),
    case("a point alone", b"a,b\n1,2\n.,3\n", "line 3, column 'a': ", "got '.'"),
    case("a sign alone", b"a,b\n1,2\n-,3\n", "line 3, column 'a': ", "got '-'"),
    case("full-width digits", "a,b\n1,2\n\uff11,3\n".encode(), "line 3, column 'a': ", "got '\uff11'"),
    case("U+0000", b"a,b\n1,2\n3\0,4\n", "line 3, column 'a': ", "got '3<U+0000>'"),
    case("U+0000 alone", b"a,b\n1,2\n3,\0\n", "line 3, column 'b': ", "got '<U+0000>'"),
    case("NaN", b"a,b\n1,2\nNaN,3\n", "line 3, column 'a': ", "got 'NaN'"),
    case("nan", b"a,b\n1,2\nnan,3\n", "line 3, column 'a': ", "got 'nan'"),
    case("inf", b"a,b\n1,2\ninf,3\n", "line 3, column 'a': ", "got 'inf'"),
    case("-Infinity", b"a,b\n1,2\n-Infinity,3\n", "line 3, column 'a': ", "got '-Infinity'"),
    case("null", b"a,b\n1,2\n3,null\n", "line 3, column 'b': expected smallint", "got 'null'"),
    case("true", b"a,b\n1,2\n3,true\n", "line 3, column 'b': ", "got 'true'"),
    case("more than a double", b"a,b\n1,2\n1e400,3\n", "line 3, column 'a': 1e400 is not double precision NOT NULL (Number out"),
    case("an integer too large", b"a,b\n1,2\n3,32768\n", "line 3, column 'b': 32768 is not smallint", "<= 32767"),
    case("an integer too small", b"a,b\n1,2\n3,-32769\n", "line 3, column 'b': -32769 is not smallint", ">= -32768"),
    case(
        "an endless integer", b"a,b\n1,2\n3," + b"9" * 999 + b"\n", "line 3, column 'b': 999999", "… (999 characters)", "smallint"
    ),
    case("a fraction for an integer", b"a,b\n1,2\n3,1.5\n", "line 3, column 'b': 1.5 is not smallint", "got `float`"),
    case("a fraction by an exponent", b"a,b\n1,2\n3,15e-1\n", "line 3, column 'b': 15e-1 is not smallint"),
    case("an exponent too large", b"a,b\n1,2\n3,1e99999\n", "line 3, column 'b': 1e99999 is not smallint"),
    case("less than a double", b"a,b\n1,2\n1e-400,3\n", "line 3, column 'a': 1e-400 is not double precision", "too small"),
    case("less than the minimum", b"a,b\n1,2\n-0.1,3\n", "line 3, column 'a': -0.1 is not double precision", ">= 0"),
]


@pytest.mark.parametrize(("content", "begin", "parts"), VALUES)
def test_a_record_is_refused_for(content: bytes, begin: str, parts: tuple[str, ...], contract: Contract) -> None:
    written(contract, content)
    said = fault_of(contract)
    assert said.startswith(begin)
    assert [part for part in parts if part not in said] == []
    assert said.endswith("; mend the source")


@pytest.mark.parametrize("line", [2, 101, 102, 250, 301])
@pytest.mark.parametrize("bad", [b"x,1", b"-1,1", b"1", b"1,2,3"], ids=["bad number", "broken rule", "short", "long"])
def test_a_fault_far_down_has_its_line_and_the_batches_before_it_are_given(line: int, bad: bytes, contract: Contract) -> None:
    lines = [b"a,b", *[b"1,2"] * 300]
    lines[line - 1] = bad
    written(contract, b"\n".join([*lines, b""]))
    reader = SourceReader(contract)
    given: list[Batch] = []
    with pytest.raises(SourceError) as caught:
        given.extend(reader)
    assert str(caught.value).startswith(
        (f"{contract.source.path}: line {line}, column 'a'", f"{contract.source.path}: line {line}: ")
    )
    assert sum(len(json.loads(batch.value)) for batch in given) == line - 2
    assert (reader.batches, reader.records, reader.rejected_records) == (-(-(line - 2) // 100), 300, 1)


@pytest.mark.parametrize(
    ("content", "begin"),
    [
        pytest.param(b't\nx\n"y\nz\n', "line 3: unexpected end of data: a quote is opened and never closed", id="never closed"),
        pytest.param(b't\nx\n"y"z\n', "line 3: ',' expected after '\"'", id="closed too early"),
        pytest.param(b't\n"a\n\nb"\n"y\n', "line 5: unexpected end of data", id="never closed after line breaks"),
        pytest.param(b'"t\nx\n', "line 1: a quote is opened and never closed", id="never closed in the header"),
        pytest.param(
            b"t\nx\ny\rz\n", "line 3: a carriage return stands in the line without a line feed", id="open: a carriage return"
        ),
        pytest.param(b"t\nx\n\0\n", "line 3, column 't': \"\\u0000\" holds U+0000", id="U+0000 in a text"),
        pytest.param(b't\n"a\n"\n"b\n\xff"\n', "line 5, byte 1 of the line: expected UTF-8, got b'\\xff'", id="not UTF-8"),
    ],
)
def test_a_quoted_text_is_refused_if(content: bytes, begin: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT])
    write_source(contract, content)
    assert fault_of(contract).startswith(begin)


TWO_LINES = b'"x\ny",1\n' * 150


@pytest.mark.parametrize(
    ("rest", "begins"),
    [
        pytest.param(b"x,1\nx,y\n", ["line 303, column 'n': expected integer"], id="a bad number"),
        pytest.param(b"x,1\nx,9\n", ["line 303, column 'n': 9 is not integer"], id="a broken rule"),
        pytest.param(b"x,1\nx\n", ["line 303: the line is too short"], id="a field too few"),
        pytest.param(b'x,1\n"x"y,1\n', ["line 303: ',' expected after '\"'"], id="quotes"),
        pytest.param(b"x,1\nx\xff,1\n", ["line 303, byte 2 of the line: expected UTF-8"], id="no UTF-8"),
        pytest.param(b"x,1\n\nx,1\n", ["line 303: the line is blank, but records follow"], id="a blank line"),
        pytest.param(
            b"\n\nx,1\nx,y\nx\xff,1\n",
            ["line 302: the line is blank", "line 303: the line is blank", "line 305, column 'n'", "line 306, byte 2"],
            id="blank lines, a number, no UTF-8",
        ),
        pytest.param(b"x,1\nx,y\n\nx\xff,1\n", ["line 303, column 'n'", "line 304: ", "line 305, byte 2"], id="three"),
        pytest.param(
            b"x,1\nx\nx,y\n\xff\n",
            ["line 303: the line is too short", "line 304, column 'n'", "line 305, byte 1"],
            id="at the end",
        ),
        pytest.param(b'"x"y,1\n' * 2 + b"x,1\nx\n", ["line 302: ','", "line 303: ','", "line 305: "], id="quotes twice"),
    ],
)
def test_faults_after_records_of_two_lines_have_their_lines(rest: bytes, begins: list[str], tmp_path: Path) -> None:
    number = {"name": "n", "physicalType": "integer", "required": True, "logicalTypeOptions": {"maximum": 5}}
    contract = make_contract(tmp_path, [TEXT, number])
    write_source(contract, b"t,n\n" + TWO_LINES + rest)
    said = fault_of(contract)
    found = said.split("\n  ")[1:] if len(begins) > 1 else [said]
    assert [one[: len(begin)] for one, begin in zip(found, begins, strict=True)] == begins


@pytest.mark.parametrize("rest", [b"x,1\n", b'"x"y,1\n'], ids=["a record", "quotes"])
def test_blank_lines_are_bad_only_if_something_follows(rest: bytes, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT, {"name": "n", "physicalType": "integer", "required": True}])
    write_source(contract, b"t,n\n" + TWO_LINES + b"\n" * 250 + rest)
    bad = 250 + (rest != b"x,1\n")
    said = fault_of(contract)
    assert said.startswith(f"{bad} of 401 records break the contract")
    assert "The first 10:\n  line 302: the line is blank" in said


def test_any_number_of_blank_lines_may_end_a_file(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT])
    write_source(contract, b"t\n" + b"x\n" * 100 + b"\n" * 300)
    reader = SourceReader(contract)
    assert len(list(reader)) == 1
    assert reader.records == 100
    assert reader.sha256 == hashlib.sha256(contract.source.path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("physical", "field"),
    [
        ("boolean", "maybe"),
        ("date", "2023-02-29"),
        ("date", "29.02.2024"),
        ("timestamp", "2024-02-29"),
        ("timestamp", "2024-02-29 01:02:03Z"),
        ("timestamp", "2024-02-29 01:02:03.1234567"),
        ("timestamptz", "2024-02-29 01:02:03"),
        ("timestamptz", "0001-01-01 00:00:00+01"),
        ("uuid", "07b22ec3"),
        ("numeric(4,2)", "100"),
        ("numeric(4,2)", "1.255"),
        ("real", "1e39"),
        ("real", "1e-46"),
        ("real", "-1e-60"),
        ("real", f"0.{'0' * 50}1"),
        ("real", "0.00000000000000000001e-30"),
        ("double precision", "1e-400"),
        ("double precision", f"-0.{'0' * 400}1"),
        ("integer", "5.5"),
        ("bigint", "9223372036854775808.0"),
        ("varchar(3)", "abcd"),
    ],
)
def test_a_value_of_a_type_is_refused(physical: str, field: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "a", "physicalType": physical}])
    write_source(contract, f"a\n{field}\n".encode())
    said = fault_of(contract)
    assert said.startswith("line 2, column 'a': ")
    assert field[:80].removesuffix(".0") in said


@pytest.mark.parametrize("physical", ["double precision", "integer", "numeric(5,2)"])
@pytest.mark.parametrize(
    ("options", "good", "bad"),
    [
        ({"minimum": 1, "maximum": 3}, ["1", "2", "3"], ["0", "4"]),
        ({"exclusiveMinimum": 1, "exclusiveMaximum": 3}, ["2"], ["1", "3"]),
        ({"minimum": 1, "exclusiveMinimum": 1}, ["2"], ["1", "0"]),
        ({"minimum": 2, "exclusiveMinimum": 0}, ["2"], ["1", "0"]),
        ({"maximum": 3, "exclusiveMaximum": 3}, ["2"], ["3", "4"]),
        ({"maximum": 2, "exclusiveMaximum": 9}, ["2"], ["3", "9"]),
        ({"minimum": 1, "exclusiveMaximum": 3}, ["1", "2"], ["0", "3"]),
    ],
    ids=str,
)
def test_a_number_is_held_to_its_bounds(
    physical: str, options: dict[str, int], good: list[str], bad: list[str], tmp_path: Path
) -> None:
    judge_each(tmp_path, {"physicalType": physical, "logicalTypeOptions": options}, good, bad)


@pytest.mark.parametrize(
    ("rules", "good", "bad"),
    [
        ({"physicalType": "varchar(2)", "logicalTypeOptions": {"maxLength": 9}}, ["ab", "éé"], ["abc"]),
        ({"physicalType": "varchar(9)", "logicalTypeOptions": {"maxLength": 2}}, ["ab", "😀😀"], ["abc"]),
        ({"physicalType": "text", "logicalTypeOptions": {"minLength": 2, "pattern": "^a"}}, ["ab"], ["a", "ba"]),
        ({"physicalType": "text", "enum": [{"value": "a"}, {"value": "b"}]}, ["a", "b"], ["c", "A", " a"]),
        ({"physicalType": "integer", "enum": [{"value": 1}, {"value": 5}]}, ["1", "5"], ["2", "15"]),
    ],
    ids=["a shorter type", "a shorter rule", "a pattern", "texts", "numbers"],
)
def test_a_value_is_held_to_its_rules(rules: dict[str, Any], good: list[str], bad: list[str], tmp_path: Path) -> None:
    judge_each(tmp_path, rules, good, bad)


def judge_each(folder: Path, rules: dict[str, Any], good: list[str], bad: list[str]) -> None:
    contract = make_contract(folder, [{"name": "a", "required": True} | rules])
    write_source(contract, "\n".join(["a", *good, ""]).encode())
    assert len(list(SourceReader(contract))) == 1
    for field in bad:
        write_source(contract, "\n".join(["a", *good, field, ""]).encode())
        assert fault_of(contract).startswith(f"line {len(good) + 2}, column 'a': ")
