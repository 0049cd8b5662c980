"""One data set, written in many ways: each way has a contract by which the same records come of it."""

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import random
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pytest
from backports import zstd
from pyarrow import parquet

from batchstream.contract import Contract
from batchstream.errors import SourceChangedError, SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract

TYPES = {
    "No": "integer",
    "amount": "numeric(12,2)",
    "Weight in kg": "double precision",
    "day": "date",
    "at": "timestamp",
    "seen": "timestamptz",
    "ok": "boolean",
    "note": "text",
}
REQUIRED = ("No", "ok")
BERLIN = ZoneInfo("Europe/Berlin")

Row = tuple[Any, ...]


def make_rows(count: int) -> list[Row]:
    some = random.Random(26)
    rows: list[Row] = []
    for number in range(1, count + 1):
        at = datetime(2026, 3, 1, 12) + timedelta(seconds=some.randrange(2_000_000))
        row = (
            number,
            Decimal(some.randrange(-(10**9), 10**9)) / 100,
            some.randrange(-(10**9), 10**9) / 1000,
            at.date(),
            at,
            (at - timedelta(days=30)).replace(tzinfo=BERLIN),
            some.random() < 0.5,
            some.choice(["Öl", "naïve", "a b", "x;y", "it's", "12"]),
        )
        named = zip(TYPES, row, strict=True)
        rows.append(tuple(None if name not in REQUIRED and some.random() < 0.1 else value for name, value in named))
    return rows


ROWS = make_rows(250)


class Words(NamedTuple):
    """How values are written."""

    null: str = ""
    true: str = "true"
    false: str = "false"
    decimal: str = "."
    thousands: str = ""
    date: str = "%Y-%m-%d"
    at: str = "%Y-%m-%d %H:%M:%S"
    seen: str = "%Y-%m-%d %H:%M:%S%z"

    def of(self, name: str, value: Any) -> str:
        if value is None:
            return self.null
        if isinstance(value, bool):
            return self.true if value else self.false
        if isinstance(value, datetime):
            return value.strftime(self.seen if name == "seen" else self.at)
        if isinstance(value, int | float | Decimal):
            digits = f"{value:,}" if self.thousands else str(value)
            return digits.translate({ord(","): self.thousands, ord("."): self.decimal})
        return value if isinstance(value, str) else value.strftime(self.date)


USUAL = Words()


def table(words: Words = USUAL, order: Sequence[str] = tuple(TYPES)) -> list[list[str]]:
    """Header and records."""
    places = [list(TYPES).index(name) for name in order]
    return [list(order), *([words.of(list(TYPES)[place], row[place]) for place in places] for row in ROWS)]


def as_csv(lines: list[list[str]], delimiter: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    found = io.StringIO()
    csv.writer(found, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(lines)  # type: ignore[arg-type]
    return found.getvalue()


def as_fixed(lines: list[list[str]]) -> tuple[str, list[int]]:
    """Fields of fixed width, and the widths."""
    widths = [2 + max(map(len, fields)) for fields in zip(*lines, strict=True)]
    padded = ["".join(field.ljust(width) for field, width in zip(line, widths, strict=True)) for line in lines]
    return "".join(f"{line}\n" for line in padded), widths


def as_objects(order: Sequence[str] = tuple(TYPES)) -> list[dict[str, Any]]:
    """The records as JSON has them."""
    return [{name: as_json(name, row[list(TYPES).index(name)]) for name in order} for row in ROWS]


def as_json(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, bool | int | float) else USUAL.of(name, value)


def as_lines(objects: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in objects)


def as_parquet(objects: list[Row], **options: Any) -> bytes:
    numbers = [pa.int32(), pa.decimal128(12, 2), pa.float64()]
    kinds = [*numbers, pa.date32(), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.bool_(), pa.string()]
    columns = [pa.array(values, kind) for values, kind in zip(zip(*objects, strict=True), kinds, strict=True)]
    # Another order, and one column more.
    found = pa.table({"more": columns[0], **dict(reversed(list(zip(TYPES, columns, strict=True))))})
    content = io.BytesIO()
    parquet.write_table(found, content, row_group_size=77, **options)
    return content.getvalue()


def as_workbook(lines: list[list[Any]], *more_sheets: str) -> bytes:
    book = openpyxl.Workbook()
    for title in more_sheets:
        book.create_sheet(title)
    sheet = book.active
    assert sheet is not None
    sheet.title = "data"
    for line in lines:
        sheet.append([one.astimezone(BERLIN).isoformat(" ") if isinstance(one, datetime) and one.tzinfo else one for one in line])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def zipped(content: bytes, *names: str) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return found.getvalue()


PLAIN = as_csv(table()).encode()
GERMAN = Words("k. A.", "ja", "nein", ",", ".", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S")
GERMAN_SETTINGS = {
    "sourceDelimiter": ";",
    "sourceNull": "k. A.",
    "sourceTrue": ["ja", "wahr"],
    "sourceFalse": "nein",
    "sourceDecimal": ",",
    "sourceThousands": ".",
    "sourceDateFormat": "%d.%m.%Y",
    "sourceTimestampFormat": "%d.%m.%Y %H:%M:%S",
    "sourceTimeZone": "Europe/Berlin",
}
SHUFFLED = ("ok", "note", "seen", "No", "Weight in kg", "at", "amount", "day")


def with_others(lines: list[list[str]]) -> list[list[str]]:
    return [["", lines[0][0], "comment", *lines[0][1:]]] + [[str(n), line[0], "?", *line[1:]] for n, line in enumerate(lines[1:])]


def commented(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(["# of 2026\n", "#\n", lines[0], "# begins\n", *lines[1:101], "# more\n#\n", *lines[101:], "# ends\n"])


def padded(lines: list[list[str]]) -> list[list[str]]:
    return [lines[0], *([f" {field}\t" for field in line] for line in lines[1:])]


def way(name: str, content: bytes | str, **settings: Any) -> Any:
    return pytest.param(content.encode() if isinstance(content, str) else content, settings, id=name)


FIXED, WIDTHS = as_fixed(table())
WAYS = [
    way("as it is", PLAIN),
    way("CRLF", as_csv(table(), end="\r\n")),
    way("a byte order mark", codecs.BOM_UTF8 + PLAIN),
    way("all in quotes", as_csv(table(), quoting=csv.QUOTE_ALL)),
    way("semicolons", as_csv(table(), ";"), sourceDelimiter=";"),
    way("tabs", as_csv(table(), "\t"), sourceDelimiter="\t", sourceQuote="none"),
    way("pipes", as_csv(table(), "|"), sourceDelimiter="|"),
    way("another order", as_csv(table(order=SHUFFLED))),
    way("other columns", as_csv(with_others(table())), sourceOtherColumns="ignored"),
    way("other columns in another order", as_csv(with_others(table(order=SHUFFLED))), sourceOtherColumns="ignored"),
    way("no header", as_csv(table()[1:]), sourceHeader="none"),
    way("no header but a byte order mark", codecs.BOM_UTF8 + as_csv(table()[1:]).encode(), sourceHeader="none"),
    way("a title", "Report\nof 2026, by us\n\n" + as_csv(table()), sourceSkipLines=3),
    way("a title and no header", "Report\n" + as_csv(table()[1:]), sourceSkipLines=1, sourceHeader="none"),
    way("a footer", as_csv(table()) + "\n250 records\nend\n", sourceFooterLines=2),
    way("a footer and blank lines", as_csv(table()) + "250 records\n\n\n", sourceFooterLines=1),
    way("comments", commented(as_csv(table())), sourceComment="#"),
    way("no last line end", PLAIN.rstrip(b"\n"), sourceFinalNewline="optional"),
    way("blank lines at the end", PLAIN + b"\n\n\n"),
    way("NA", as_csv(table(Words("NA"))), sourceNull="NA"),
    way("several marks for NULL", as_csv(table(Words("n/a"))), sourceNull=["NA", "n/a", "-"]),
    way("blanks around fields", as_csv(padded(table(Words("NA")))), sourceNull="NA", sourceTrim=True),
    way("other booleans", as_csv(table(Words(true="wahr", false="FALSCH"))), sourceTrue=["ja", "wahr"], sourceFalse=["falsch"]),
    way("1 and 0", as_csv(table(Words(true="1", false="0")))),
    way("decimal commas", as_csv(table(Words(decimal=",")), ";"), sourceDelimiter=";", sourceDecimal=","),
    way("thousands", as_csv(table(Words(thousands=","))), sourceThousands=","),
    way("blanks between thousands", as_csv(table(Words(decimal=",", thousands=" "))), sourceDecimal=",", sourceThousands=" "),
    way("American dates", as_csv(table(Words(date="%m/%d/%Y"))), sourceDateFormat="%m/%d/%Y"),
    way("names of months", as_csv(table(Words(date="%d %b %Y"))), sourceDateFormat="%d %b %Y"),
    way("timestamps with a T", as_csv(table(Words(at="%Y-%m-%dT%H:%M:%S")))),
    way("a time zone", as_csv(table(Words(seen="%Y-%m-%d %H:%M:%S"))), sourceTimeZone="Europe/Berlin"),
    way(
        "timestamps of a format",
        as_csv(table(Words(at="%d/%m/%y %I:%M:%S %p", seen="%d/%m/%y %I:%M:%S %p"))),
        sourceTimestampFormat="%d/%m/%y %I:%M:%S %p",
        sourceTimeZone="Europe/Berlin",
    ),
    way("all that is German", as_csv(table(GERMAN), ";"), **GERMAN_SETTINGS),
    way("latin-1", as_csv(table()).encode("latin-1"), sourceEncoding="latin-1"),
    way("cp1252, German", as_csv(table(GERMAN), ";").encode("cp1252"), sourceEncoding="windows-1252", **GERMAN_SETTINGS),
    way("UTF-16", as_csv(table()).encode("utf-16"), sourceEncoding="utf-16"),
    way("UTF-16 without a mark", as_csv(table()).encode("utf-16-le"), sourceEncoding="utf-16-le"),
    way("UTF-32", as_csv(table()).encode("utf-32"), sourceEncoding="utf-32"),
    way("gb18030", as_csv(table()).encode("gb18030"), sourceEncoding="GB18030"),
    way("fields of fixed width", FIXED, sourceFormat="fixed", sourceWidths=WIDTHS),
    way("JSON Lines", as_lines(as_objects()), sourceFormat="json"),
    way("JSON Lines in another order", as_lines(as_objects(SHUFFLED)), sourceFormat="json"),
    way(
        "JSON Lines without NULLs",
        as_lines([{name: value for name, value in one.items() if value is not None} for one in as_objects()]),
        sourceFormat="json",
        sourceMissingFields="nulls",
    ),
    way(
        "JSON Lines with more",
        as_lines([one | {"x": {"No": 1}} for one in as_objects()]),
        sourceFormat="json",
        sourceOtherColumns="ignored",
    ),
    way("a JSON array", json.dumps(as_objects()), sourceFormat="json"),
    way("a JSON array to read", json.dumps(as_objects(), indent=2, ensure_ascii=False), sourceFormat="json"),
    way(
        "gzip of a JSON array in UTF-16",
        gzip.compress(json.dumps(as_objects(), ensure_ascii=False).encode("utf-16")),
        sourceFormat="json",
        sourceEncoding="utf-16",
    ),
    way("Parquet", as_parquet(ROWS), sourceFormat="parquet", sourceOtherColumns="ignored"),
    way(
        "Parquet, packed by zstd, of dictionaries",
        as_parquet(ROWS, compression="zstd", use_dictionary=True),
        sourceFormat="parquet",
        sourceOtherColumns="ignored",
    ),
    way("xlsx", as_workbook([list(TYPES), *ROWS]), sourceFormat="xlsx"),
    way(
        "xlsx, one of two sheets, below a title",
        as_workbook([["Report"], [], list(TYPES), *ROWS, [], ["250 records"]], "notes"),
        sourceFormat="xlsx",
        sourceSheet="data",
        sourceSkipLines=2,
        sourceFooterLines=1,
    ),
    way("xlsx without a header", as_workbook(list(ROWS)), sourceFormat="xlsx", sourceHeader="none"),
    way("gzip", gzip.compress(PLAIN)),
    way("gzip of two parts", gzip.compress(PLAIN[:1000]) + gzip.compress(PLAIN[1000:])),
    way("bzip2", bz2.compress(PLAIN)),
    way("xz", lzma.compress(PLAIN)),
    way("zstd", zstd.compress(PLAIN)),
    way("zip", zipped(PLAIN, "data/x.csv")),
    way("zip of macOS", zipped(PLAIN, "x.csv", "__MACOSX/._x.csv")),
    way("gzip of UTF-16", gzip.compress(as_csv(table()).encode("utf-16")), sourceEncoding="utf-16"),
]


def contract_of(folder: Path, path: str = "data/x.csv", **settings: Any) -> Contract:
    columns = [
        {"name": name, "physicalName": name.lower().replace(" ", "_"), "physicalType": kind, "required": name in REQUIRED}
        for name, kind in TYPES.items()
    ]
    return make_contract(folder, columns, sourcePath=path, **settings)


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


@pytest.mark.parametrize(("content", "settings"), WAYS)
def test_the_same_records_come_of(content: bytes, settings: dict[str, Any], tmp_path: Path) -> None:
    assert in_utc(records_of(written(contract_of(tmp_path, **settings), content))) == in_utc(EXPECTED)


def test_there_are_forty_ways() -> None:
    assert len(WAYS) >= 40


def part(begin: int, end: int) -> bytes:
    lines = table()
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
