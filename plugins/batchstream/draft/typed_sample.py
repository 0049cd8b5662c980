"""Looks at a file of a format that is no text: the names of its columns, and the settings of its contract."""

from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from batchstream.contract.source import SourceFormat
from batchstream.errors import SourceError
from batchstream.records.json_elements import elements_of_array, elements_of_lines
from batchstream.records.source_file import SourceFile
from batchstream.records.unpacked import unpacked

MAX_OBJECTS = 20_000
"""By which the names of JSON's fields are found."""


def kind_of_file(path: Path) -> SourceFormat | None:
    """The format of a file by its first bytes; None for a text of fields."""
    with path.open("rb") as file:
        begin = file.read(4)
        file.seek(0)
        if begin == b"PAR1":
            return SourceFormat.PARQUET
        if begin.startswith(b"PK") and path.suffix.lower() in (".xlsx", ".xlsm"):
            return SourceFormat.XLSX
        content = unpacked(file) or file
        first = content.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    return SourceFormat.JSON if first.startswith((b"{", b"[")) else None


def json_names(path: Path, file: SourceFile) -> tuple[list[str], dict[str, Any]]:
    """The names of the fields of the first objects, and whether some of them lack one."""
    is_array = file.begins_with(b"[")
    elements = elements_of_array(file.blocks()) if is_array else elements_of_lines(file.chunks())
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    counts: dict[str, int] = {}
    objects = 0
    for element in islice(elements, MAX_OBJECTS):
        objects += 1
        try:
            for name in decoder.decode(element.raw):
                counts[name] = counts.get(name, 0) + 1
        except msgspec.DecodeError as error:
            what = f"line {element.line}: is no JSON object: {error}"
            raise SourceError(f"{path}: {what}; write one object for each record") from error
    missing = any(count < objects for count in counts.values())
    return list(counts), {"sourceMissingFields": "nulls"} if missing else {}


def parquet_names(path: Path) -> list[str]:
    """The names of the columns."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise SourceError(f"{path}: Parquet needs a package; pip install 'batchstream[parquet]'") from error
    return list(parquet.ParquetFile(path).schema_arrow.names)


def workbook_names(path: Path) -> tuple[list[str], dict[str, Any]]:
    """The names of the columns of the first sheet, and the sheet if there are several."""
    try:
        import openpyxl
    except ImportError as error:
        raise SourceError(f"{path}: xlsx needs a package; pip install 'batchstream[excel]'") from error
    book = openpyxl.load_workbook(path, read_only=True)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    cells = next(iter(sheet.iter_rows(values_only=True)), ())
    names = ["" if cell is None else str(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    settings = {"sourceSheet": sheet.title} if len(book.worksheets) > 1 else {}
    book.close()
    return names, settings
