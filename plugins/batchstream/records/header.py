"""Reads the header of a source: what it calls the fields of a record."""

from batchstream.contract.model import Contract
from batchstream.contract.source import Source, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.kinds import kind_of
from batchstream.records.layout import Layout, LayoutError, layout_of, layout_without_header
from batchstream.records.rows import RowReader
from batchstream.records.shown import listed
from batchstream.records.source_file import SourceFile
from batchstream.records.taken import UnreadableRow

_MEND = "mend the source, its format or the contract, whose name is the header's and physicalName the table's"
_DELIMITERS = {
    ",": "sourceDelimiter: ','",
    ";": "sourceDelimiter: ';'",
    "\t": 'sourceDelimiter: "\\t"',
    "|": "sourceDelimiter: '|'",
}


def read_layout(contract: Contract, file: SourceFile) -> Layout:
    """Find the columns in the header, and leave the file where its records begin.

    Raises:
        SourceError: The header is missing, not UTF-8, or names other columns than the contract.
    """
    source = contract.source
    for _ in range(source.skipped_lines):
        file.read_line()
    if not source.has_header:
        return layout_without_header(contract)
    line = file.read_line()
    while source.comment and line.startswith(source.comment.encode()):
        line = file.read_line()
    return layout_in(contract, line, file.lines_read)


def layout_in(contract: Contract, line: bytes, number: int = 1) -> Layout:
    """Find the columns in a header.

    Args:
        contract: Whose source it is.
        line: The header; nothing at the end of the file.
        number: Of the line.

    Raises:
        SourceError: It is missing, not UTF-8, or names other columns than the contract.
    """
    source = contract.source
    names = [column.source_name for column in contract.columns]
    if not line:
        raise SourceError(f"{source.path}: the source is empty; expected the header {listed(names)}")
    header, fault = _names_in(source, line)
    try:
        if fault is None:
            return layout_of(contract, header)._replace(header=line.decode())
        what = fault
    except LayoutError as error:
        what = f": the header is not the contract's: {error}; {_hint(source, header, names)}{_MEND}"
    if (kind := kind_of(line)) is not None:
        raise SourceError(f"{source.path}: the file {kind[0]}, and not {source.format} in UTF-8; {kind[1]}")
    raise SourceError(f"{source.path}: line {number}{what}")


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
