"""One data set, written in many ways: each way has a contract by which the same records come of it."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from batchstream.contract import Contract
from batchstream.errors import SourceChangedError, SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.source_reader import SourceReader
from tests.support.ways import Row, Way, as_csv, columns, make_rows, table, ways, zipped
from tests.unit.building import make_contract

ROWS = make_rows(250)
WAYS = ways(ROWS)
PLAIN = as_csv(table(ROWS)).encode()


def contract_of(folder: Path, path: str = "data/x.csv", **settings: Any) -> Contract:
    return make_contract(folder, columns(), sourcePath=path, **settings)


def written(contract: Contract, content: bytes) -> Contract:
    contract.source.path.parent.mkdir(parents=True, exist_ok=True)
    contract.source.path.write_bytes(content)
    return contract


def records_of(contract: Contract) -> list[Row]:
    codec = RecordCodec(contract)
    found = []
    for batch in SourceReader(contract):
        decoded = codec.decode(batch.value, batch.first_record_id)
        assert decoded.rejected == []
        found += list(decoded.records)
    return found


EXPECTED: list[Row] = [(*row, number) for number, row in enumerate(ROWS, 1)]


def in_utc(rows: list[Row]) -> list[Row]:
    """As of one zone: a moment is shown in whichever it was written."""
    return [tuple(one.astimezone(UTC) if isinstance(one, datetime) and one.tzinfo else one for one in row) for row in rows]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_same_records_come_of(way: Way, tmp_path: Path) -> None:
    assert in_utc(records_of(written(contract_of(tmp_path, **way.settings), way.content))) == in_utc(EXPECTED)


def test_there_are_forty_ways() -> None:
    assert len(WAYS) >= 40


def part(begin: int, end: int) -> bytes:
    lines = table(ROWS)
    return as_csv([lines[0], *lines[1 + begin : 1 + end]]).encode()


@pytest.mark.parametrize("path", ["data/*.csv*", "data", "data/", "dat?/part-[0-9].*", "**/part-*"])
def test_many_files_are_one_load(path: str, tmp_path: Path) -> None:
    contract = contract_of(tmp_path, path)
    folder = tmp_path / "data"
    folder.mkdir()
    parts = {"part-1.csv": part(0, 101), "part-2.csv.gz": gzip.compress(part(101, 102)), "part-3.csv": part(102, 250)}
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    (folder / ".part-4.csv.tmp").write_bytes(b"being written")
    reader = SourceReader(contract)
    batches = list(reader)
    assert [row[-1] for row in records_of(contract)] == list(range(1, 251))
    assert [one.path.name for one in reader.files] == list(parts)
    assert [one.records for one in reader.files] == [101, 1, 148]
    assert len(batches) == 5
    checksum = reader.sha256
    (folder / "part-2.csv.gz").write_bytes(part(103, 104))
    list(reader)
    assert reader.sha256 != checksum


def of_part_2(folder: Path, content: bytes) -> None:
    (folder / "part-2.csv").write_bytes(content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda folder: of_part_2(folder, b"a\n1\n"), "part-2.csv: line 1: the header is not", id="another header"),
        pytest.param(
            lambda folder: of_part_2(folder, part(0, 3).replace(b"\n2,", b"\nz,")),
            "data: part-2.csv: line 3, column 'no': expected integer",
            id="a bad record",
        ),
        pytest.param(lambda folder: (folder / "part-1.csv").unlink(), "sourcePath is a folder without files", id="no file"),
    ],
)
def test_one_of_many_files_is_named(change: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "part-1.csv").write_bytes(part(0, 3))
    change(folder)
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract_of(tmp_path, "data")))
    assert said in str(caught.value)


def test_files_that_come_while_others_are_read_are_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"part-{number}.csv").write_bytes(part(0, 150))
    reader = iter(SourceReader(contract_of(tmp_path, "data/*.csv")))
    next(reader)
    (folder / "part-3.csv").write_bytes(part(0, 3))
    with pytest.raises(SourceChangedError, match="it has other files now"):
        list(reader)


def test_a_file_that_changes_while_others_are_read_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"part-{number}.csv").write_bytes(part(0, 150))
    reader = iter(SourceReader(contract_of(tmp_path, "data/*.csv")))
    for _ in range(3):
        next(reader)
    # The second one is being read.
    (folder / "part-1.csv").write_bytes(part(0, 149))
    with pytest.raises(SourceChangedError, match=r"'part-1\.csv' changed after it was read"):
        list(reader)


def test_a_packed_file_that_is_half_written_is_read_again(tmp_path: Path) -> None:
    """What unpacks it finds it damaged, which it may not be at the next try."""
    rows = make_rows(20_000)
    contract = written(contract_of(tmp_path), gzip.compress(as_csv(table(rows)).encode())[:-9])
    reader = iter(SourceReader(contract))
    next(reader)
    with contract.source.path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(SourceChangedError, match="the source changed while it was read"):
        list(reader)


DAMAGED = [
    pytest.param(gzip.compress(PLAIN)[:-9], "the compressed file is damaged or cut off: ", id="half a gzip"),
    pytest.param(gzip.compress(PLAIN)[:-8] + bytes(8), "the compressed file is damaged or cut off: ", id="a checksum of gzip"),
    pytest.param(bz2.compress(PLAIN)[:-9], "the compressed file is damaged or cut off: ", id="half a bzip2"),
    pytest.param(bz2.compress(PLAIN)[:20] + bytes(200), "the compressed file is damaged or cut off: ", id="a damaged bzip2"),
    pytest.param(lzma.compress(PLAIN)[:-9], "the compressed file is damaged or cut off: ", id="half an xz"),
    pytest.param(zstd.compress(PLAIN)[:-9], "the compressed file is damaged or cut off: ", id="half a zstd"),
    pytest.param(zstd.compress(PLAIN)[:99] + bytes(99), "the compressed file is damaged or cut off: ", id="a damaged zstd"),
    pytest.param(zipped(PLAIN, "x.csv")[:-9], "the compressed file is damaged or cut off: ", id="half a zip"),
    pytest.param(zipped(PLAIN, "x.csv", "y.csv"), "is a zip archive of 2 files ('x.csv', 'y.csv')", id="a zip of two"),
    pytest.param(zipped(PLAIN), "is a zip archive of 0 files", id="an empty zip"),
    pytest.param(zipped(PLAIN, "[Content_Types].xml"), "is an Excel workbook (xlsx)", id="xlsx"),
]


@pytest.mark.parametrize(("content", "said"), DAMAGED)
def test_what_is_damaged_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    contract = written(contract_of(tmp_path), content)
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract))
    assert str(caught.value).startswith(f"{contract.source.path}: {said}")
