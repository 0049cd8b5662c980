"""One data set, written in many ways, each with what its contract says of it."""

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import random
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
from backports import zstd
from pyarrow import parquet

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


def table(rows: Sequence[Row], words: Words = USUAL, order: Sequence[str] = tuple(TYPES)) -> list[list[str]]:
    """Header and records."""
    places = [list(TYPES).index(name) for name in order]
    return [list(order), *([words.of(list(TYPES)[place], row[place]) for place in places] for row in rows)]


def as_csv(lines: list[list[str]], delimiter: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    found = io.StringIO()
    csv.writer(found, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(lines)  # type: ignore[arg-type]
    return found.getvalue()


def as_fixed(lines: list[list[str]]) -> tuple[str, list[int]]:
    """Fields of fixed width, and the widths."""
    widths = [2 + max(map(len, fields)) for fields in zip(*lines, strict=True)]
    padded = ["".join(field.ljust(width) for field, width in zip(line, widths, strict=True)) for line in lines]
    return "".join(f"{line}\n" for line in padded), widths


def as_objects(rows: Sequence[Row], order: Sequence[str] = tuple(TYPES)) -> list[dict[str, Any]]:
    """The records as JSON has them."""
    return [{name: as_json(name, row[list(TYPES).index(name)]) for name in order} for row in rows]


def as_json(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, bool | int | float) else USUAL.of(name, value)


def as_lines(objects: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in objects)


def as_parquet(objects: Sequence[Row], **options: Any) -> bytes:
    numbers = [pa.int32(), pa.decimal128(12, 2), pa.float64()]
    kinds = [*numbers, pa.date32(), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.bool_(), pa.string()]
    columns = [pa.array(values, kind) for values, kind in zip(zip(*objects, strict=True), kinds, strict=True)]
    # Another order, and one column more.
    found = pa.table({"more": columns[0], **dict(reversed(list(zip(TYPES, columns, strict=True))))})
    content = io.BytesIO()
    parquet.write_table(found, content, **{"row_group_size": 77, **options})
    return content.getvalue()


def as_workbook(lines: Sequence[Sequence[Any]], *more_sheets: str) -> bytes:
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
WORDS, SPACED = Words(true="wahr", false="FALSCH"), Words(decimal=",", thousands=" ")
SHUFFLED = ("ok", "note", "seen", "No", "Weight in kg", "at", "amount", "day")


def with_others(lines: list[list[str]]) -> list[list[str]]:
    return [["", lines[0][0], "comment", *lines[0][1:]]] + [[str(n), line[0], "?", *line[1:]] for n, line in enumerate(lines[1:])]


def commented(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(["# of 2026\n", "#\n", lines[0], "# begins\n", *lines[1:101], "# more\n#\n", *lines[101:], "# ends\n"])


def padded(lines: list[list[str]]) -> list[list[str]]:
    return [lines[0], *([f" {field}\t" for field in line] for line in lines[1:])]


class Way(NamedTuple):
    """A file, and what its contract says of it."""

    name: str
    content: bytes
    settings: dict[str, Any]


def way(name: str, content: bytes | str, **settings: Any) -> Way:
    return Way(name, content.encode() if isinstance(content, str) else content, settings)


def ways(rows: Sequence[Row]) -> list[Way]:
    """Many ways to write the same records."""
    plain = as_csv(table(rows)).encode()
    fixed, widths = as_fixed(table(rows))
    return [
        way("as it is", plain),
        way("CRLF", as_csv(table(rows), end="\r\n")),
        way("CR", as_csv(table(rows), end="\r")),
        way("gzip of CR in UTF-16", gzip.compress(as_csv(table(rows), end="\r").encode("utf-16")), sourceEncoding="utf-16"),
        way("fixed width and CR", fixed.replace("\n", "\r"), sourceFormat="fixed", sourceWidths=widths),
        way("JSON Lines and CR", as_lines(as_objects(rows)).replace("\n", "\r"), sourceFormat="json"),
        way("a byte order mark", codecs.BOM_UTF8 + plain),
        way("all in quotes", as_csv(table(rows), quoting=csv.QUOTE_ALL)),
        way("semicolons", as_csv(table(rows), ";"), sourceDelimiter=";"),
        way("tabs", as_csv(table(rows), "\t"), sourceDelimiter="\t", sourceQuote="none"),
        way("pipes", as_csv(table(rows), "|"), sourceDelimiter="|"),
        way("another order", as_csv(table(rows, order=SHUFFLED))),
        way("other columns", as_csv(with_others(table(rows))), sourceOtherColumns="ignored"),
        way("other columns in another order", as_csv(with_others(table(rows, order=SHUFFLED))), sourceOtherColumns="ignored"),
        way("no header", as_csv(table(rows)[1:]), sourceHeader="none"),
        way("no header but a byte order mark", codecs.BOM_UTF8 + as_csv(table(rows)[1:]).encode(), sourceHeader="none"),
        way("a title", "Report\nof 2026, by us\n\n" + as_csv(table(rows)), sourceSkipLines=3),
        way("a title and no header", "Report\n" + as_csv(table(rows)[1:]), sourceSkipLines=1, sourceHeader="none"),
        way("a footer", as_csv(table(rows)) + "\n250 records\nend\n", sourceFooterLines=2),
        way("a footer and blank lines", as_csv(table(rows)) + "250 records\n\n\n", sourceFooterLines=1),
        way("comments", commented(as_csv(table(rows))), sourceComment="#"),
        way("no last line end", plain.rstrip(b"\n"), sourceFinalNewline="optional"),
        way("blank lines at the end", plain + b"\n\n\n"),
        way("NA", as_csv(table(rows, Words("NA"))), sourceNull="NA"),
        way("several marks for NULL", as_csv(table(rows, Words("n/a"))), sourceNull=["NA", "n/a", "-"]),
        way("blanks around fields", as_csv(padded(table(rows, Words("NA")))), sourceNull="NA", sourceTrim=True),
        way(
            "other booleans",
            as_csv(table(rows, Words(true="wahr", false="FALSCH"))),
            sourceTrue=["ja", "wahr"],
            sourceFalse=["falsch"],
        ),
        way("1 and 0", as_csv(table(rows, Words(true="1", false="0")))),
        way("decimal commas", as_csv(table(rows, Words(decimal=",")), ";"), sourceDelimiter=";", sourceDecimal=","),
        way("thousands", as_csv(table(rows, Words(thousands=","))), sourceThousands=","),
        way(
            "blanks between thousands",
            as_csv(table(rows, Words(decimal=",", thousands=" "))),
            sourceDecimal=",",
            sourceThousands=" ",
        ),
        way("American dates", as_csv(table(rows, Words(date="%m/%d/%Y"))), sourceDateFormat="%m/%d/%Y"),
        way("names of months", as_csv(table(rows, Words(date="%d %b %Y"))), sourceDateFormat="%d %b %Y"),
        way("timestamps with a T", as_csv(table(rows, Words(at="%Y-%m-%dT%H:%M:%S")))),
        way("a time zone", as_csv(table(rows, Words(seen="%Y-%m-%d %H:%M:%S"))), sourceTimeZone="Europe/Berlin"),
        way(
            "timestamps of a format",
            as_csv(table(rows, Words(at="%d/%m/%y %I:%M:%S %p", seen="%d/%m/%y %I:%M:%S %p"))),
            sourceTimestampFormat="%d/%m/%y %I:%M:%S %p",
            sourceTimeZone="Europe/Berlin",
        ),
        way("all that is German", as_csv(table(rows, GERMAN), ";"), **GERMAN_SETTINGS),
        way("latin-1", as_csv(table(rows)).encode("latin-1"), sourceEncoding="latin-1"),
        way(
            "cp1252, German", as_csv(table(rows, GERMAN), ";").encode("cp1252"), sourceEncoding="windows-1252", **GERMAN_SETTINGS
        ),
        way("UTF-16", as_csv(table(rows)).encode("utf-16"), sourceEncoding="utf-16"),
        way("UTF-16 without a mark", as_csv(table(rows)).encode("utf-16-le"), sourceEncoding="utf-16-le"),
        way("UTF-32", as_csv(table(rows)).encode("utf-32"), sourceEncoding="utf-32"),
        way("gb18030", as_csv(table(rows)).encode("gb18030"), sourceEncoding="GB18030"),
        way("fields of fixed width", fixed, sourceFormat="fixed", sourceWidths=widths),
        way("JSON Lines", as_lines(as_objects(rows)), sourceFormat="json"),
        way("JSON Lines in another order", as_lines(as_objects(rows, SHUFFLED)), sourceFormat="json"),
        way(
            "JSON Lines without NULLs",
            as_lines([{name: value for name, value in one.items() if value is not None} for one in as_objects(rows)]),
            sourceFormat="json",
            sourceMissingFields="nulls",
        ),
        way(
            "JSON Lines with more",
            as_lines([one | {"x": {"No": 1}} for one in as_objects(rows)]),
            sourceFormat="json",
            sourceOtherColumns="ignored",
        ),
        way("a JSON array", json.dumps(as_objects(rows)), sourceFormat="json"),
        way("a JSON array to read", json.dumps(as_objects(rows), indent=2, ensure_ascii=False), sourceFormat="json"),
        way(
            "gzip of a JSON array in UTF-16",
            gzip.compress(json.dumps(as_objects(rows), ensure_ascii=False).encode("utf-16")),
            sourceFormat="json",
            sourceEncoding="utf-16",
        ),
        way("Parquet", as_parquet(rows), sourceFormat="parquet", sourceOtherColumns="ignored"),
        way(
            "Parquet, packed by zstd, of dictionaries",
            as_parquet(rows, compression="zstd", use_dictionary=True),
            sourceFormat="parquet",
            sourceOtherColumns="ignored",
        ),
        way("xlsx", as_workbook([list(TYPES), *rows]), sourceFormat="xlsx"),
        way(
            "xlsx, one of two sheets, below a title",
            as_workbook([["Report"], [], list(TYPES), *rows, [], ["250 records"]], "notes"),
            sourceFormat="xlsx",
            sourceSheet="data",
            sourceSkipLines=2,
            sourceFooterLines=1,
        ),
        way("xlsx without a header", as_workbook(list(rows)), sourceFormat="xlsx", sourceHeader="none"),
        way("gzip", gzip.compress(plain)),
        way("gzip of two parts", gzip.compress(plain[:1000]) + gzip.compress(plain[1000:])),
        way("bzip2", bz2.compress(plain)),
        way("xz", lzma.compress(plain)),
        way("zstd", zstd.compress(plain)),
        way("zip", zipped(plain, "data/x.csv")),
        way("zip of macOS", zipped(plain, "x.csv", "__MACOSX/._x.csv")),
        way("gzip of UTF-16", gzip.compress(as_csv(table(rows)).encode("utf-16")), sourceEncoding="utf-16"),
    ]


def columns() -> list[dict[str, Any]]:
    """The columns of its contract."""
    return [
        {"name": name, "physicalName": name.lower().replace(" ", "_"), "physicalType": kind, "required": name in REQUIRED}
        for name, kind in TYPES.items()
    ]
