"""A bare carriage return ends lines if it ends all of them; otherwise it never joins two records silently."""

import random
from pathlib import Path
from typing import Any

import pytest

from batchstream.draft.contract import draft
from batchstream.errors import SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.rejects import BadRecord
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract, write_source

COLUMNS = [{"name": "a", "physicalType": "text"}, {"name": "b", "physicalType": "text"}]
NUMBERS = [{"name": name, "physicalType": "integer", "required": True} for name in "ab"]


def read(
    folder: Path, content: bytes, columns: list[dict[str, Any]] = COLUMNS, **settings: Any
) -> tuple[list[Any], list[BadRecord]]:
    contract = make_contract(folder, columns, rejectedRecordsAllowed=10, **settings)
    write_source(contract, content)
    codec, bad = RecordCodec(contract), list[BadRecord]()
    batches = [codec.decode(batch.value) for batch in SourceReader(contract, bad.append)]
    return [record[:-1] for batch in batches for record in batch.records], bad


@pytest.mark.parametrize("settings", [{}, {"sourceFormat": "whitespace"}], ids=["csv", "whitespace"])
def test_numbers_of_a_file_of_carriage_returns(settings: dict[str, Any], tmp_path: Path) -> None:
    separator = b" " if settings else b","
    lines = [separator.join((b"%d" % number, b"7")) for number in range(250)]
    found, bad = read(tmp_path, b"\r".join([separator.join((b"a", b"b")), *lines, b""]), NUMBERS, **settings)
    assert (found, bad) == ([(number, 7) for number in range(250)], [])


def test_a_carriage_return_in_quotes_stays_one(tmp_path: Path) -> None:
    found, _ = read(tmp_path, b'a,b\r"x\ry",1\r"\r",2\r')
    assert found == [("x\ry", "1"), ("\r", "2")]


def test_lines_are_counted(tmp_path: Path) -> None:
    found, (bad,) = read(tmp_path, b'a,b\r"x\ry",1\rz\r')
    assert (len(found), bad.line, bad.reason.partition(":")[0]) == (1, 4, "the line is too short")


def test_the_last_line_may_be_cut_off(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="the last line has no line end"):
        read(tmp_path, b"a,b\rx,1\ry,2")
    found, _ = read(tmp_path / "x", b"a,b\rx,1\ry,2", sourceFinalNewline="optional")
    assert found == [("x", "1"), ("y", "2")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_another_line_end_later_is_an_error(end: bytes, tmp_path: Path) -> None:
    content = b"a,b\r" + b"x,1\r" * 100_000 + b"y,2" + end + b"z,3\r"
    with pytest.raises(SourceError, match=r"x\.csv: line 100002: a line feed \(LF\) stands here, .*; end all lines with one of"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        pytest.param(b"a,b\nx,1\ry,2\nz,3\n", {}, id="csv"),
        pytest.param(b"a,b\nx,1\ry,2\nz,3\n", {"sourceQuote": "none"}, id="no quotes"),
        pytest.param(b"a b\nx\r1\nz 3\n", {"sourceFormat": "whitespace"}, id="whitespace"),
        pytest.param(b"a b\nx\r1\nz 3\n", {"sourceFormat": "fixed", "sourceWidths": [2, 1]}, id="fixed"),
        pytest.param(b'{"a":"x","b":"1"}\r{"a":"y","b":"2"}\n{"a":"z","b":"3"}\n', {"sourceFormat": "json"}, id="JSON Lines"),
    ],
)
def test_one_among_other_line_ends_costs_its_line(content: bytes, settings: dict[str, Any], tmp_path: Path) -> None:
    found, (bad,) = read(tmp_path, content, **settings)
    assert (found, bad.line) == ([("z", "3")], 1 if settings.get("sourceFormat") == "json" else 2)


def test_such_a_file_loads_by_its_draft(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    chosen = random.Random(1)
    path.write_bytes(b"name,size\r" + b"".join(b"n%d,%d\r" % (number, chosen.randrange(9)) for number in range(300)))
    drafted = draft(path, tmp_path / "dags" / "contracts" / "x.odcs.yaml")
    assert drafted.bad_records == []
    assert "name: size" in drafted.text.replace('"', "")
