"""No kind of file or text that is good sends a message to the slow judge, which looks at each record; and both judges agree."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchstream.contract import Contract
from batchstream.records.codec import RecordCodec
from batchstream.records.damaged_json import array_elements
from batchstream.records.judge import Judge
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract, write_source
from tests.unit.strategies import Table, as_json, tables
from tests.unit.test_properties import check_account, check_agreement

COLUMNS: list[dict[str, Any]] = [
    {"name": "t", "physicalType": "text", "required": True},
    {"name": "d", "physicalType": "double precision"},
    {"name": "r", "physicalType": "real"},
    {"name": "m", "physicalType": "numeric(9,2)"},
    {"name": "i", "physicalType": "integer"},
    {"name": "at", "physicalType": "timestamp"},
    {"name": "z", "physicalType": "timestamptz"},
]

TEXTS = [
    "plain",
    "",
    "Il dit : non",
    ":-)",
    "::1/64",
    ":",
    " : after a blank",
    ' : "and" : both',
    '":',
    'Il dit "oui" : non',
    '"quoted": and "so" on',
    'ends in a quote"',
    '"t":"x","t":"y"',
    '{"t": "x", "m":"1.5"}',
    "back\\slash",
    "ends in a backslash\\",
    '\\":',
    '\\\\" :',
    "\\u0000",
    "\\\\u0000",
    "a: b, c:d",
    "e-mail, E-mail, e-45, code E-400, 1e-400",
    "0" * 60 + "1",
    "at 01:02:03.1234567",
    '"at":"2024-01-01T00:00:00.1234567"',
    "0001-01-01 to 9999-12-31",
    "control \x01\x1f\x7f characters",
    "two\nlines\r\nand a tab\t",
    "ж é 李雷 😀 \u200b\ufeff\u2028",
    "[]{},",
    "null",
]

VALUES = ["1.5", "2.5", "1.25", "3", "2024-02-29 01:02:03.123456", "2024-02-29 01:02:03.5+02:00"]
OTHERS = {
    "NULL": ["", "", "", "", "", ""],
    "exponents": ["6.02e-23", "1.6E-19", "1e1", "3", "2024-02-29T01:02:03", "2024-02-29T01:02:03Z"],
    "the ends of ranges": ["4.9e-324", "1.4e-45", "-0", "3", "9999-12-31 23:59:59", "9999-12-31 23:59:59+00"],
    "zeros": ["0.0", "-0.0", "0", "0", "0001-01-01 00:00:00", "0001-01-01 00:00:00Z"],
    "whole numbers with a point": ["1.0", "2.0", "3.0", "4.0", "2024-02-29 01:02:03", "2024-02-29 01:02:03-01"],
}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the slow judges of messages and of a source's records are asked."""
    asked: list[Any] = []
    one_by_one, sift = RecordCodec._decode_one_by_one, Judge.sift
    monkeypatch.setattr(RecordCodec, "_decode_one_by_one", lambda *args: asked.append(args[1]) or one_by_one(*args))
    monkeypatch.setattr(Judge, "sift", lambda *args: asked.append(args[1]) or sift(*args))
    return asked


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def roundtrip(contract: Contract, content: str) -> list[tuple[Any, ...]]:
    write_source(contract, content.encode())
    codec = RecordCodec(contract)
    return [record for _, value in SourceReader(contract) for record in codec.decode(value).records]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_text_takes_the_slow_path(text: str, end: str, slow: list[Any], tmp_path: Path) -> None:
    contract = make_contract(tmp_path, COLUMNS)
    lines = ["t,d,r,m,i,at,z", *[",".join([quoted(text), *VALUES])] * 150, ""]
    records = roundtrip(contract, end.join(lines))
    assert [record[0] for record in records] == [text] * 150
    assert slow == []


@pytest.mark.parametrize("name", [":a", "::", " :a", "a:", 'a":', "a\\", "a :b"])
def test_no_name_takes_the_slow_path_and_none_may_stand_twice(name: str, slow: list[Any], tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": column, "physicalType": "text"} for column in (name, "b")])
    texts = ["plain", ":-)", " : x", '":', "\\"]
    lines = [f"{quoted(name)},b", *(f"{quoted(one)},{quoted(other)}" for one in texts for other in texts)]
    write_source(contract, "\n".join([*lines, ""]).encode())
    ((_, value),) = SourceReader(contract)
    codec = RecordCodec(contract)
    assert [record[:2] for record in codec.decode(value).records] == [(one, other) for one in texts for other in texts]
    assert slow == []
    for blank in (b"", b" "):
        decoded = codec.decode(value.replace(b"}", b',"b"' + blank + b':":-)"}'))
        assert {one.reason for one in decoded.rejected} == {"column 'b' stands twice"}
        assert decoded.records == []


@pytest.mark.parametrize("values", OTHERS.values(), ids=list(OTHERS))
@pytest.mark.parametrize("text", ["plain", "e-45 \x01 01:02:03.1234567 9999-12-31"])
def test_no_value_takes_the_slow_path(values: list[str], text: str, slow: list[Any], tmp_path: Path) -> None:
    contract = make_contract(tmp_path, COLUMNS)
    records = roundtrip(contract, "\n".join(["t,d,r,m,i,at,z", *[",".join([quoted(text), *values])] * 150, ""]))
    assert len(records) == 150
    assert slow == []


@pytest.mark.parametrize("file_format", ["csv", "whitespace"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_numbers_stay_on_the_quickest_path(
    file_format: str, end: bytes, slow: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    numbers = [{"name": name, "physicalType": "double precision", "required": True} for name in "ab"]
    contract = make_contract(tmp_path, numbers, sourceFormat=file_format)
    by_field: list[Any] = []
    all_good = Judge.all_good
    monkeypatch.setattr(Judge, "all_good", lambda *args: by_field.append(args[1]) or all_good(*args))
    separator = b"," if file_format == "csv" else b"  "
    write_source(contract, end.join([b"a" + separator + b"b", *[b"1.5" + separator + b"-2"] * 250, b""]))
    values = [value for _, value in SourceReader(contract)]
    assert [b"\r" in value for value in values] == [False] * 3
    assert (slow, by_field) == ([], [])


def test_a_whole_number_with_a_point_costs_its_column_only(slow: list[Any], tmp_path: Path) -> None:
    integers = [{"name": name, "physicalType": "integer", "required": True} for name in "ab"]
    contract = make_contract(tmp_path, integers)
    assert len(roundtrip(contract, "a,b\n" + "1,130.0\n" * 1000)) == 1000
    # The first batch is tried as plain numbers.
    assert len(slow) == 1


ODD = [
    *(b"null", b"true", b'""', b'"1.5"', b'"x"', b"1.5", b"130.0", b"-0", b"0", b"[]", b"{}", b"[1.5]", b"1e5"),
    *(
        b"1e-45",
        b"1e-46",
        b"-1e-60",
        b"1E-400",
        b"0e-400",
        b"0.0e-50",
        b"1e400",
        b"0." + b"0" * 60 + b"1",
        b"4e-324",
        b"0.1e-323",
    ),
    *(b"7.006492321624085e-46", b"7.1e-46", b"0.00000000000000001e-29"),
    *(b'"a\\u0000"', b'"a\\\\u0000"', b'"\\u0031.5"', b'"2024-01-01T00:00:00.1234567"', b'"2024-01-01T00:00:00.123456\\u0037"'),
    *(b'"2024-01-01T00:00:00.1234567Z"', b'"9999-12-31T23:59:59-01:00"', b'"0001-01-01T00:00:00+01:00"'),
    *(b'"\\u0030001-01-01T00:00:00+01:00"', b'"2024-01-01T00:00:00Z"', b'"2024-01-01"', b'"\\\\\\" : "', b'"\\ud800"'),
]


def spelled(name: str) -> st.SearchStrategy[bytes]:
    """The name of a column: plain, with an escaped letter, or with blanks."""
    plain = msgspec.json.encode(name)
    escaped = b'"\\u%04x' % ord(name[0]) + name[1:].encode() + b'"'
    return st.sampled_from([plain + b":", plain + b":", escaped + b":", plain + b" :", plain + b": ", escaped + b"  : "])


@settings(max_examples=400, deadline=None)
@given(data=st.data(), table=tables(max_rows=8))
def test_the_quick_and_the_slow_judge_agree(data: st.DataObject, table: Table) -> None:
    """Over all mixes of types: with odd values, escaped names, blanks and names that stand twice."""
    contract = replace(table.contract, columns=table.contract.columns)
    names = [column.name for column in contract.columns]
    records = []
    for row in table.rows:
        members = [b'"%s":%s' % (name.encode(), as_json(value)) for name, value in zip(names, row, strict=True)]
        for _ in range(data.draw(st.integers(0, 1))):
            odd = data.draw(st.sampled_from(ODD))
            at = data.draw(st.integers(0, len(names) - 1))
            member = data.draw(spelled(names[at])) + odd
            if data.draw(st.integers(0, 4)):
                members[at] = member
            else:
                members.append(member)
        records.append(b"{" + b",".join(members) + b"}")
    value = b"[" + b",".join(records) + b"]"
    codec = RecordCodec(contract)
    decoded = codec.decode(value)
    check_account(value, decoded)
    check_agreement(codec, value, decoded)
    alone = [codec.decode(b"[" + raw + b"]") for raw in array_elements(value)]
    assert [one.reason for one in decoded.rejected] == [bad.reason for one in alone for bad in one.rejected]
