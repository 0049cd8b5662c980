"""Sources without quotes, with escapes, with NULL where it may not stand, and keys that are blank."""

import json
from pathlib import Path
from typing import Any

import pytest

from batchstream.errors import ContractError, SourceError
from batchstream.records.again import SecondJudge
from batchstream.records.codec import Misfit, RecordCodec
from batchstream.records.rejects import BadRecord
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract, write_source
from tests.unit.test_source import TEXTS, read

N: dict[str, Any] = {"name": "n", "physicalType": "integer", "required": True}
T: dict[str, Any] = {"name": "t", "physicalType": "text"}
COPY = {"sourceDelimiter": "\t", "sourceQuote": "none", "sourceEscape": "\\", "sourceNull": "\\N"}


def test_a_source_without_quotes_has_a_record_on_each_line(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N, T], sourceDelimiter="\t", sourceQuote="none", sourceNull="\\N")
    content = b'n\tt\n1\t"open\n2\tmiddle\n3\tclose"\n4\tla"st\n5\t\\N\n6\tback\\slash\n'
    assert [record[1] for record in read(contract, content)] == ['"open', "middle", 'close"', 'la"st', None, "back\\slash"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (r"a\tb", "a\tb"),
        (r"a\nb\r\n", "a\nb\r\n"),
        (r"a\\b", "a\\b"),
        (r"a\\nb", "a\\nb"),
        ("a\\\tb", "a\tb"),
        (r"\N", None),
        (r"\\N", "\\N"),
        (r'"x', '"x'),
        (r"\b\f\v", "\b\f\v"),
        ("", ""),
        ("ж 😀", "ж 😀"),
    ],
)
def test_escapes_of_a_source_without_quotes_are_those_of_copy(field: str, value: str | None, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [T, N, TEXTS[0] | {"name": "end"}], **COPY)
    assert read(contract, f"t\tn\tend\n{field}\t1\tx\n{field}\t2\ty\n".encode()) == [(value, 1, "x"), (value, 2, "y")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (r'"say \"hi\""', 'say "hi"'),
        (r'"say ""hi"""', 'say "hi"'),
        (r'"a\\"', "a\\"),
        (r"a\,b", "a,b"),
        ('"a\\\nb"', "a\nb"),
        ('"a\nb"', "a\nb"),
        (r"\N", None),
        (r'"\\N"', "\\N"),
    ],
)
def test_escapes_beside_quotes_are_those_of_spark_and_mysql(field: str, value: str | None, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [T, N], sourceEscape="\\", sourceNull="\\N")
    assert read(contract, f"t,n\n{field},1\n{field},2\n".encode()) == [(value, 1), (value, 2)]


@pytest.mark.parametrize(
    "line", [rb"a\qb	1", rb"\Na	1", b"a\\"], ids=["no letter", "NULL in a text", "at the end of the line"]
)
def test_an_escape_that_has_no_meaning_is_a_bad_record(line: bytes, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [T, N], **COPY, rejectedRecordsAllowed=1)
    write_source(contract, b"t\tn\n\\n\\n\t1\n" + line + b"\nz\t2\n")
    bad: list[BadRecord] = []
    reader = SourceReader(contract, bad.append)
    assert len(list(reader)) == 2
    assert [(one.record_id, one.line, one.raw) for one in bad] == [(2, 3, line.decode())]
    assert bad[0].reason.startswith("an escape stands before a character that has no escape")


def test_a_letter_is_escaped_in_a_source_without_quotes_only(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [T, N], sourceEscape="\\")
    write_source(contract, b't,n\n"a\\nb",1\n')
    with pytest.raises(SourceError, match="line 2: an escape stands before a character that has no escape"):
        list(SourceReader(contract))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sourceQuote": "'"}, 'sourceQuote: got "\'"; write one of ", none'),
        ({"sourceEscape": ","}, "sourceEscape: got ','"),
        ({"sourceEscape": "\\\\"}, "sourceEscape: got "),
        ({"sourceEscape": "\\", "sourceNull": "\\n"}, "sourceNull: got "),
        ({"sourceEscape": "\\", "sourceNull": "\\NULL"}, "sourceNull: got "),
        ({"sourceFinalNewline": "no"}, "sourceFinalNewline: got 'no'; write one of required, optional"),
        ({"sourceFormat": "whitespace", "sourceQuote": "none"}, "sourceQuote: has no meaning for sourceFormat whitespace"),
        ({"sourcePath": "ftp://example.org/x.csv"}, "sourcePath: got a URL of ftp://; write a path, or a URL of http, "),
    ],
)
def test_a_setting_of_the_source_is_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        make_contract(tmp_path, [N, T], **settings)
    assert f"customProperties: {message}" in str(caught.value)


@pytest.mark.parametrize("physical", ["text", "integer", "boolean", "date"])
def test_null_in_a_required_column_is_refused(physical: str, tmp_path: Path) -> None:
    columns = [N, {"name": "name", "physicalType": physical, "required": True}]
    contract = make_contract(tmp_path, columns, sourceNull="NULL")
    write_source(contract, b"n,name\n1,NULL\n")
    with pytest.raises(SourceError, match=r"line 2, column 'name': NULL in a column that is required; mend the source$"):
        list(SourceReader(contract))


@pytest.mark.parametrize("physical", ["integer", "date", "uuid", "numeric(3,1)"])
def test_an_empty_field_is_null_in_a_required_column_that_is_no_text(physical: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N, {"name": "x", "physicalType": physical, "required": True}])
    write_source(contract, b"n,x\n1,\n")
    with pytest.raises(SourceError, match=r"line 2, column 'x': NULL in a column that is required; mend the source$"):
        list(SourceReader(contract))


@pytest.mark.parametrize("key", ["", " ", "\t \n", "\u00a0\u3000"], ids=["empty", "space", "tab", "wide"])
def test_a_blank_key_is_refused(key: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [T | {"required": True, "primaryKey": True}, N], rejectedRecordsAllowed=1)
    write_source(contract, f't,n\nx,1\n"{key}",2\n'.encode())
    bad: list[BadRecord] = []
    assert len(list(SourceReader(contract, bad.append))) == 1
    assert [(one.record_id, one.column) for one in bad] == [(2, "t")]
    assert bad[0].reason.endswith("is blank, which no primary key may be")
    decoded = RecordCodec(contract).decode(b'[{"t":"x","n":1},{"t":" ","n":2}]')
    assert [one.position for one in decoded.rejected] == [1]


@pytest.mark.parametrize(
    ("physical", "write"),
    [
        ("date", "write 2026-01-31"),
        ("timestamp", "write 2026-01-31 23:59:59"),
        ("timestamptz", "write 2026-01-31 23:59:59+00:00"),
    ],
)
@pytest.mark.parametrize("field", ["31.01.2026", "01/31/2026", "2026-02-30", "20260131"])
def test_a_message_says_how_a_time_is_written(physical: str, write: str, field: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "d", "physicalType": physical, "required": True}])
    write_source(contract, f"d\n{field}\n".encode())
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract))
    assert f"line 2, column 'd': \"{field}\" is not " in str(caught.value)
    assert write in str(caught.value)
    assert "RFC3339" not in str(caught.value)


def test_what_can_not_be_seen_is_shown_in_a_value(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N, {"name": "d", "physicalType": "date"}])
    write_source(contract, "n,d\n1\u200b,2026-01-31\n1,2026-01-31\ufeff\n\u202e1\n".encode())
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract))
    for shown in ("got '1<U+200B>'", '"2026-01-31<U+FEFF>" is not date', "got 1: <U+202E>1"):
        assert shown in str(caught.value)


def test_a_record_whose_text_stands_for_bytes_is_not_replayed(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [T, N], rejectedRecordsAllowed=2)
    write_source(contract, b"t,n\n\xff,1\n\xc3\xa9,x\ny,2\n")
    bad: list[BadRecord] = []
    assert len(list(SourceReader(contract, bad.append))) == 1
    judge = SecondJudge(contract, RecordCodec(contract), {})
    found = [judge.element(one.raw, str(one.path), one.line, one.record_id) for one in bad]
    assert isinstance(found[0], Misfit)
    assert "can't be replayed" in found[0].reason
    assert isinstance(found[1], Misfit)
    assert found[1].column == "n"


UNQUOTED = b'n\tt\n1\t"x\n2\ty\n3\tz"\n4\t"a ""b"""\n'
QUOTED = b'n\tt\n1\t"x\ny"\n2\t"x\ny\tz"\n3\t"x\n4\ty\tz"\n4\t"5\t6\n7"\n'


def test_records_that_a_quote_would_swallow_are_asked_for(tmp_path: Path) -> None:
    """A quotation mark of a source without quotes begins a field that ends at the next one, some records later."""
    contract = make_contract(tmp_path, [N, T], sourceDelimiter="\t")
    write_source(contract, UNQUOTED)
    with pytest.raises(SourceError, match=r"line 2: each of its 3 lines is a record by itself .*write sourceQuote: none if so"):
        list(SourceReader(contract))


def test_two_of_them_are_enough_also_with_blanks_and_an_empty_last_field(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N, T, {**T, "name": "last"}], sourceDelimiter="\t")
    write_source(contract, b'n\tt\tlast\n1\t"a b c\t\r\n2\td e f"\t\r\n')
    with pytest.raises(SourceError, match=r"line 2: each of its 2 lines is a record by itself"):
        list(SourceReader(contract))


@pytest.mark.parametrize(("quote", "records"), [("none", 4), ('"', 2)])
def test_a_contract_that_names_its_quotes_is_not_asked(quote: str, records: int, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N, T], sourceDelimiter="\t", sourceQuote=quote)
    write_source(contract, UNQUOTED)
    reader = SourceReader(contract)
    assert len(list(reader)) == 1
    assert reader.records == records


def test_texts_with_line_breaks_are_no_records(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N, T], sourceDelimiter="\t")
    write_source(contract, QUOTED)
    (batch,) = SourceReader(contract)
    assert [record["t"] for record in json.loads(batch.value)] == ["x\ny", "x\ny\tz", "x\n4\ty\tz", "5\t6\n7"]
