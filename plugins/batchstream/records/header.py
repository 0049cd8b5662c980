"""Compares the first line of a source with its contract."""

from batchstream.contract.model import Contract, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.codec import shorten
from batchstream.records.rows import RowReader

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_header_line(contract: Contract, line: bytes) -> None:
    """Read the header.

    Raises:
        SourceError: It is missing, not UTF-8, or names other columns than the contract.
    """
    source = contract.source
    delimiter = " " if source.format is SourceFormat.WHITESPACE else source.delimiter
    names = [column.source_name for column in contract.columns]
    if not line:
        raise SourceError(f"{source.path}: the source is empty; expected the header {delimiter.join(names)}")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        where = f"{source.path}: line 1, byte {error.start + 1} of the line"
        raise SourceError(f"{where}: expected UTF-8, got {line[error.start : error.end]!r}; write the file in UTF-8") from error
    taken = RowReader(source, [[line.removeprefix(_BYTE_ORDER_MARK)]], 1).take()
    if taken.fault is not None:
        raise taken.fault
    header = [name.strip() for row in taken.rows for name in row]
    if header != names:
        raise SourceError(
            f"{source.path}: line 1: expected the header {delimiter.join(names)}, got {shorten(delimiter.join(header))}; "
            "mend the source, its format or the contract, whose name is the header's and physicalName the table's"
        )
