"""How values are spelled: what a spelling refuses, and what a contract may say of it."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.errors import ContractError, SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.rejects import BadRecord
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract, write_source

GERMAN = {"sourceDecimal": ",", "sourceThousands": "."}
BERLIN = {"sourceTimeZone": "Europe/Berlin"}


def reject_of(folder: Path, kind: str, text: str, **settings: Any) -> str:
    """What is said of a value, the only one of its source that is bad."""
    columns = [{"name": "v", "physicalType": kind, "required": True}, {"name": "n", "physicalType": "integer"}]
    contract = make_contract(folder, columns, sourceDelimiter=";", sourceFinalNewline="optional", **settings)
    write_source(contract, f"v;n\n{text};1\n".encode())
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract))
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "settings", "said"),
    [
        ("numeric(9,2)", "1.5", GERMAN, "got '1.5' (write a number such as -1.234,5)"),
        ("numeric(9,2)", "1.2345", GERMAN, "got '1.2345'"),
        ("numeric(9,2)", "12.34.567", GERMAN, "got '12.34.567'"),
        ("numeric(9,2)", ".123", GERMAN, "got '.123'"),
        ("integer", "1,5", GERMAN, "is not integer"),
        ("double precision", "1.5", {"sourceDecimal": ","}, "got '1.5' (write a number such as -1234,5)"),
        ("date", "2026-01-31", {"sourceDateFormat": "%d.%m.%Y"}, "(write it as %d.%m.%Y, such as 31.01.2026)"),
        ("time", "9:05", {"sourceTimeFormat": "%H.%M"}, "(write it as %H.%M, such as 23.59)"),
        ("date", "31.02.2026", {"sourceDateFormat": "%d.%m.%Y"}, "got '31.02.2026'"),
        ("boolean", "yes", {"sourceTrue": "ja", "sourceFalse": "nein"}, "got 'yes' (write ja or nein)"),
        ("timestamptz", "2026-03-29 02:30:00", BERLIN, "(it never came in Europe/Berlin, where clocks were turned"),
        ("timestamptz", "2026-10-25 02:30:00", BERLIN, "(it came twice in Europe/Berlin, where clocks were turned"),
        ("timestamptz", "2026-10-25 02:30:00", {}, "is not timestamp with time zone NOT NULL"),
        ("timestamp", "2026-10-25 02:30:00+00:00", BERLIN, "is not timestamp without time zone NOT NULL"),
        ("integer", "-", {"sourceNull": ["", "-"]}, "NULL in a column that is required"),
        ("integer", " NA ", {"sourceNull": "NA", "sourceTrim": True}, "NULL in a column that is required"),
        ("integer", "-999", {"sourceNull": "-999"}, "NULL in a column that is required"),
    ],
)
def test_a_value_that_is_spelled_otherwise_is_refused(
    kind: str, text: str, settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    assert said in reject_of(tmp_path, kind, text, **settings)


def test_a_mark_for_null_that_is_a_number_is_null_among_plain_numbers(tmp_path: Path) -> None:
    """Lines of nothing but numbers are read without a look at each field."""
    columns = [{"name": name, "physicalType": "integer", "required": True} for name in "ab"]
    contract = make_contract(tmp_path, columns, sourceNull="-999", rejectedRecordsAllowed=1)
    write_source(contract, b"a,b\n1,2\n3,-999\n5,6\n")
    bad: list[BadRecord] = []
    assert sum(len(RecordCodec(contract).decode(batch.value).records) for batch in SourceReader(contract, bad.append)) == 2
    assert [(one.line, one.column) for one in bad] == [(3, "b")]


def test_times_may_have_a_format(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "t", "physicalType": "time"}], sourceTimeFormat="%I.%M %p")
    write_source(contract, b"t\n9.05 PM\n")
    (batch,) = SourceReader(contract)
    assert batch.value == b'[{"t":"21:05:00"}]'


def test_a_column_goes_before_its_source(tmp_path: Path) -> None:
    own = [{"property": "sourceNull", "value": "-"}, {"property": "sourceDecimal", "value": "."}]
    columns = [
        {"name": "a", "physicalType": "double precision"},
        {"name": "b", "physicalType": "double precision", "customProperties": own},
        {"name": "t", "physicalType": "text", "customProperties": [{"property": "sourceTrim", "value": True}]},
    ]
    contract = make_contract(tmp_path, columns, sourceDelimiter=";", sourceDecimal=",", sourceNull="NA")
    write_source(contract, b"a;b;t\n1,5;1.5; x \nNA;-;NA\n")
    (batch,) = SourceReader(contract)
    assert RecordCodec(contract).decode(batch.value).records == [(1.5, 1.5, "x", 1), (None, None, None, 2)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sourceDecimal": ";"}, "sourceDecimal: got ';'; write '.' or ','"),
        ({"sourceThousands": "."}, "sourceThousands: got '.'; write one character that is not sourceDecimal"),
        ({"sourceThousands": "0"}, "sourceThousands: got '0'"),
        ({"sourceDateFormat": "DD.MM.YYYY"}, "write a format of strptime, such as '%d/%m/%Y'"),
        ({"sourceDateFormat": "%Q"}, "sourceDateFormat: got '%Q'"),
        ({"sourceTimestampFormat": "%c"}, "sourceTimestampFormat: got '%c'"),
        ({"sourceTimeZone": "Mars/Base"}, "sourceTimeZone: got 'Mars/Base'; write the name of a time zone"),
        ({"sourceTimeZone": "/etc/passwd"}, "sourceTimeZone: got '/etc/passwd'"),
        ({"sourceTrue": "ja"}, "write words for both, or for none"),
        ({"sourceTrue": "ja", "sourceFalse": ["nein", "JA"]}, "write words for both, or for none"),
        ({"sourceNull": []}, "sourceNull: got []; write a text, or a list of 1 to 100 texts"),
        ({"sourceNull": [1]}, "sourceNull: got [1]"),
        ({"sourceEncoding": "rot13"}, "sourceEncoding: got 'rot13'; write the name of an encoding"),
        ({"sourceEncoding": "unicode_escape"}, "sourceEncoding: got 'unicode_escape'"),
        ({"sourceWaitMinutes": 10_081}, "sourceWaitMinutes: got 10081; write a number of minutes from 0 to 10,080, a week"),
        ({"sourceSkipLines": -1}, "sourceSkipLines: got -1; write a number of lines from 0 to 10,000"),
        ({"sourceComment": "-"}, "sourceComment: got '-'"),
        ({"sourceHeader": "none", "sourceOtherColumns": "ignored"}, "without a header no column has a name"),
        ({"sourceOtherColumns": "kept"}, "sourceOtherColumns: got 'kept'; write one of refused, ignored"),
    ],
)
def test_a_setting_without_a_meaning_is_refused(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        make_contract(tmp_path, [{"name": "a", "physicalType": "integer"}], **settings)
    assert said in str(caught.value)


def test_lines_that_are_no_records_are_counted(tmp_path: Path) -> None:
    """The line that is named is that of the file, whatever stands before it and between."""
    columns = [{"name": name, "physicalType": "text" if name == "t" else "integer"} for name in "nt"]
    settings = {"sourceSkipLines": 2, "sourceComment": "#", "sourceFooterLines": 1, "rejectedRecordsAllowed": 9}
    contract = make_contract(tmp_path, columns, **settings)
    write_source(contract, b'title\n\n# c\nn,t\n1,a\n# c\nx,b\n\n3,"c\n# d"\n#\n#\n4,#e\ny,f\n5,g\nend,\n\n')
    bad: list[BadRecord] = []
    found = [RecordCodec(contract).decode(one.value, one.first_record_id).records for one in SourceReader(contract, bad.append)]
    assert [row for rows in found for row in rows] == [(1, "a", 1), (3, "c\n# d", 4), (4, "#e", 5), (5, "g", 7)]
    assert [(one.record_id, one.line, one.raw) for one in bad] == [(2, 7, "x,b"), (3, 8, ""), (6, 14, "y,f")]


@pytest.mark.parametrize(
    ("encoding", "byte"), [("cp1252", b"\x81"), ("shift-jis", b"\xff"), ("latin-1", None), ("utf-16-le", b"\x00\xd8")]
)
def test_a_byte_without_a_meaning_costs_its_record(encoding: str, byte: bytes | None, tmp_path: Path) -> None:
    columns = [{"name": "t", "physicalType": "text"}]
    contract = make_contract(tmp_path, columns, sourceEncoding=encoding, rejectedRecordsAllowed=1)
    end = "\n".encode(encoding)
    write_source(contract, end.join([*(one.encode(encoding) for one in "ta"), byte or b"\x81", "c".encode(encoding), b""]))
    bad: list[BadRecord] = []
    if encoding == "utf-16-le":
        with pytest.raises(SourceError, match="illegal UTF-16 surrogate within the 16 bytes after byte 0"):
            list(SourceReader(contract, bad.append))
        return
    list(SourceReader(contract, bad.append))
    assert [one.line for one in bad] == ([3] if byte else [])
    assert all(f"expected {contract.source.encoding}, got {byte!r}" in one.reason for one in bad)
