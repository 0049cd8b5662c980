"""Compares the first line of a source with its contract."""

from collections import Counter
from collections.abc import Iterator

from batchstream.contract.model import Contract, Source, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.kinds import kind_of
from batchstream.records.rows import RowReader, UnreadableRow
from batchstream.records.shown import listed, shorten

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DELIMITERS = {
    ",": "sourceDelimiter: ','",
    ";": "sourceDelimiter: ';'",
    "\t": 'sourceDelimiter: "\\t"',
    "|": "sourceDelimiter: '|'",
}


def check_header_line(contract: Contract, line: bytes) -> None:
    """Read the header.

    Raises:
        SourceError: It is missing, not UTF-8, or names other columns than the contract.
    """
    source = contract.source
    names = [column.source_name for column in contract.columns]
    if not line:
        raise SourceError(f"{source.path}: the source is empty; expected the header {listed(names)}")
    header, fault = _names_in(source, line.removeprefix(_BYTE_ORDER_MARK))
    if header == names:
        return
    if (kind := kind_of(line)) is not None:
        what, todo = kind
        raise SourceError(f"{source.path}: the file {what}, and not {source.format} in UTF-8; {todo}")
    if fault is not None:
        raise SourceError(f"{source.path}: line 1{fault}")
    raise SourceError(
        f"{source.path}: line 1: the header is not the contract's: {'; '.join(_differences(header, names))}; "
        f"{_hint(source, header, names)}mend the source, its format or the contract, whose name is the header's and physicalName "
        "the table's"
    )


def _names_in(source: Source, line: bytes) -> tuple[list[str], str | None]:
    """The names of a header, or what is wrong with it: goes on where the number of the line ends."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        where = f", byte {error.start + 1} of the line"
        return [], f"{where}: expected UTF-8, got {line[error.start : error.end]!r}; write the file in UTF-8"
    taken = RowReader(source, [[line]], 1).take()
    row = taken.rows[0] if taken.rows else []
    if taken.fault is not None:
        return [], ": a quote is opened and never closed; mend the quotes of the header"
    if isinstance(row, UnreadableRow):
        return [], f": {row.reason}"
    return [name.strip(" \t") for name in row], None


def _differences(header: list[str], names: list[str]) -> Iterator[str]:
    missing = [*(Counter(names) - Counter(header)).elements()]
    more = [*(Counter(header) - Counter(names)).elements()]
    unexpected = [name for name in more if name not in names]
    too_often = [name for name in more if name in names]
    if missing:
        yield f"missing {listed(missing)}"
    if unexpected:
        yield f"unexpected {listed(unexpected)}"
    if too_often:
        yield f"too often {listed(too_often)}"
    if not (missing or more):
        at = next(number for number, (found, name) in enumerate(zip(header, names, strict=True)) if found != name)
        yield f"another order: column {at + 1} is '{shorten(header[at])}', expected '{shorten(names[at])}'"


def _hint(source: Source, header: list[str], names: list[str]) -> str:
    """How the fields are separated instead, if that gives the contract's names."""
    line = _shown_delimiter(source).join(header)
    ways = {said: line.split(delimiter) for delimiter, said in _DELIMITERS.items()} | {"sourceFormat: whitespace": line.split()}
    for said, found in ways.items():
        if len(header) != len(names) and [name.strip(' "') for name in found] == names:
            csv = "sourceFormat: csv and " if source.format is SourceFormat.WHITESPACE else ""
            return f"its fields are separated otherwise: write {csv}{said}; or "
    return ""


def _shown_delimiter(source: Source) -> str:
    return " " if source.format is SourceFormat.WHITESPACE else source.delimiter
