"""Takes the lines of a source apart into records of fields, a hundred at a time: none costs steps of Python of its own."""

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from batchstream.contract.model import Source, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH

Row = list[str]
"""The fields of a record."""


class Taken(NamedTuple):
    """Records that follow one another.

    Attributes:
        rows: At most a hundred.
        line: Number of the line on which the first of them begins.
        fault: What is wrong with what follows them, if anything.
    """

    rows: list[Row]
    line: int
    fault: SourceError | None


def lines_of(rows: Iterable[Row]) -> int:
    """How many lines records have; a quoted field keeps its line breaks."""
    return sum(1 + sum(field.count("\n") for field in row) for row in rows)


class RowReader:
    """Reads the records of a source.

    Args:
        source: What the lines are of, and how it is written.
        chunks: The lines, some at a time.
        line: Number of the first of them.
    """

    def __init__(self, source: Source, chunks: Iterable[list[bytes]], line: int) -> None:
        self._path = source.path
        self._first_line = self._line = line
        texts = chain.from_iterable(self._texts(chunks))
        is_csv = source.format is SourceFormat.CSV
        self._csv = csv.reader(texts, delimiter=source.delimiter, strict=True) if is_csv else None
        self._rows: Iterator[Row] = self._csv or map(_fields, texts)

    def take(self) -> Taken:
        """The next records; none at the end, which blank lines may precede, while no record may follow one."""
        found = self._read()
        if all(found.rows):
            return found
        first = found.rows.index([])
        rows, following, fault = found.rows[:first], found.rows[first:], found.fault
        while following and not any(following) and fault is None:
            following, _, fault = self._read()
        if any(following):
            where = f"{self._path}: line {found.line + lines_of(rows)}"
            fault = SourceError(f"{where}: the line is blank, but records follow; remove it")
        return Taken(rows, found.line, fault)

    def _read(self) -> Taken:
        rows: list[Row] = []
        begins = self._line
        fault: SourceError | None = None
        try:
            # The records before a fault stay in the list.
            rows.extend(islice(self._rows, MAX_RECORDS_PER_BATCH))
        except SourceError as error:
            fault = error
        except csv.Error as error:
            what = "shorten this field" if "field limit" in str(error) else "mend the quotes of this record"
            fault = SourceError(f"{self._path}: line {begins + lines_of(rows)}: {error}; {what}")
        self._line = self._first_line + self._csv.line_num if self._csv else begins + len(rows)
        return Taken(rows, begins, fault)

    def _texts(self, chunks: Iterable[list[bytes]]) -> Iterator[list[str]]:
        line = self._first_line
        for lines in chunks:
            texts: list[str] = []
            fault: SourceError | None = None
            try:
                texts.extend(map(bytes.decode, lines))
            except UnicodeDecodeError as error:
                where = f"{self._path}: line {line + len(texts)}, byte {error.start + 1} of the line"
                bad = error.object[error.start : error.end]
                fault = SourceError(f"{where}: expected UTF-8, got {bad!r}; write the file in UTF-8")
            yield texts
            if fault is not None:
                raise fault
            line += len(texts)


def _fields(text: str) -> Row:
    # As bytes, so that only ASCII's white space separates, here as in batches of plain numbers.
    return [field.decode() for field in text.encode().split()]
