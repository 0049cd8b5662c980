"""Reads a source file into batches of records as JSON, streaming: memory doesn't grow with the file.

The codec that the consumer uses judges each batch before it is sent: what leaves here lands.
"""

import csv
import hashlib
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO

from batchstream.contract.model import Contract, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH, RecordCodec, shorten
from batchstream.records.literals import MINUS_ZERO, literal, literals

Row = tuple[int, list[str]]
"""Number of the line on which a record begins, and its fields."""

_MINUS_ZERO = re.compile(MINUS_ZERO.encode())

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_END_OF_LINE = b"\0"
"""Marks the ends of lines among fields; it is in no JSON value, so a line with a field too few or too many can't be missed."""


def check_header(contract: Contract) -> None:
    """Read the first line of the source only.

    Raises:
        SourceError: The file is missing, empty, not UTF-8, or its header names other columns than the contract.
    """
    SourceReader(contract).check_header()


class SourceReader:
    """One pass over a source; iterate to get its batches.

    Line ends are LF or CRLF, a byte order mark is allowed, and so are blank lines at the end, but not between records.

    Attributes:
        records: Records read so far.
        batches: Batches given so far.
    """

    def __init__(self, contract: Contract) -> None:
        self._source = contract.source
        self._columns = contract.columns
        self._codec = RecordCodec(contract)
        self._literal = [literal(column, contract.source.null) for column in contract.columns]
        self._literals = [literals(column, contract.source.null) for column in contract.columns]
        # Numbers without NULL are JSON as they stand: no field of such a source has to be looked at in Python.
        self._plain = all(column.type.python in (int, float) and not column.nullable for column in contract.columns)
        whitespace = contract.source.format is SourceFormat.WHITESPACE
        self._delimiter = " " if whitespace else contract.source.delimiter
        self._separator = None if whitespace else self._delimiter.encode()
        self._digest = hashlib.sha256()
        self._line = 0
        self.records = 0
        self.batches = 0

    @property
    def sha256(self) -> str:
        """Checksum of what was read so far: of the whole file after the last batch."""
        return self._digest.hexdigest()

    def check_header(self) -> None:
        """Read the first line only; `__iter__` does it too."""
        with self._open() as file:
            self._read_header(file)

    def __iter__(self) -> Iterator[bytes]:
        """Batches of 100 records, the last one of what is left, as the values of messages.

        Raises:
            SourceError: File, line, column, rule and value of the first fault; or the source holds no record.
        """
        self._digest = hashlib.sha256()
        self._line = 0
        with self._open() as file:
            self._read_header(file)
            rest = (yield from self._plain_batches(file)) if self._plain else []
            yield from self._batches(self._rows(chain(rest, file)))
        if not self.records:
            raise SourceError(f"{self._source.path}: the source has a header but no record; write at least one")

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        try:
            with self._source.path.open("rb") as file:
                yield file
        except OSError as error:
            raise SourceError(f"{self._source.path}: the source can't be read: {error.strerror}; mend sourcePath") from error

    def _read_header(self, file: IO[bytes]) -> None:
        line = file.readline()
        expected = self._delimiter.join(column.name for column in self._columns)
        if not line:
            raise SourceError(f"{self._source.path}: the source is empty; expected the header {expected}")
        header = [name.strip() for _, fields in self._rows([line], _BYTE_ORDER_MARK) for name in fields]
        if header != [column.name for column in self._columns]:
            raise SourceError(
                f"{self._source.path}: line 1: expected the header {expected}, got {shorten(self._delimiter.join(header))}; "
                "mend the source, its format or the contract"
            )

    def _plain_batches(self, file: IO[bytes]) -> Generator[bytes, None, list[bytes]]:
        """Batches of lines that hold nothing but JSON numbers; returns the first lines that don't, which are read by field."""
        while lines := list(islice(file, MAX_RECORDS_PER_BATCH)):
            value = self._plain_batch(lines)
            if value is None:
                return lines
            self._digest.update(b"".join(lines))
            self._line += len(lines)
            yield self._counted(value, len(lines))
        return []

    def _plain_batch(self, lines: list[bytes]) -> bytes | None:
        text = b"".join(lines)
        # Quotes, a bare CR, and -0, which JSON has as an integer without a sign, are for the field by field reader.
        if b'"' in text or text.count(b"\r") != text.count(b"\r\n") or (b"-0" in text and _MINUS_ZERO.search(text)):
            return None
        if not text.endswith(b"\n"):
            text += b"\n"
        separator = self._delimiter.encode()
        values = text.replace(b"\n", separator + _END_OF_LINE + separator).split(self._separator)
        if self._separator is not None:
            values.pop()  # What follows the last separator.
        width = len(self._columns) + 1
        if len(values) != len(lines) * width:
            return None
        # A mark elsewhere than at the end of its line is left among the values, and no JSON.
        del values[width - 1 :: width]
        value = self._codec.encode(values)
        return value if self._codec.accepts(value, len(lines)) else None

    def _batches(self, rows: Iterator[Row]) -> Iterator[bytes]:
        records = self._without_blank_lines(rows)
        fault: SourceError | None = None
        while fault is None:
            batch: list[Row] = []
            try:
                for row in islice(records, MAX_RECORDS_PER_BATCH):
                    batch.append(row)
            except SourceError as error:
                # Only after the records before it, so that the first fault of the file is the one that is told.
                fault = error
            values = self._values_by_column([fields for _, fields in batch])
            if values is None:
                values, earlier = self._values_by_row(batch)
                fault = earlier or fault
            if not values:
                break
            records_read = len(values) // len(self._columns)
            value = self._codec.encode(values)
            if not self._codec.accepts(value, records_read):
                first = self._codec.decode(value).rejected[0]
                line, _ = batch[first.position or 0]
                raise SourceError(f"{self._source.path}: line {line}, {first.reason}; mend the source")
            if fault is None:
                yield self._counted(value, records_read)
        if fault is not None:
            raise fault

    def _values_by_column(self, records: list[list[str]]) -> list[bytes] | None:
        """The values of records, one after the other; None if one of them has to be looked at, in `_values_by_row`."""
        width = len(self._columns)
        if any(len(fields) != width for fields in records):
            return None
        values = [b""] * (len(records) * width)
        try:
            for number, (texts, to_json) in enumerate(zip(zip(*records, strict=True), self._literals, strict=False)):
                values[number::width] = to_json(texts)
        except ValueError:
            return None
        return values

    def _values_by_row(self, batch: list[Row]) -> tuple[list[bytes], SourceError | None]:
        """The same of the records before the first fault, and that fault."""
        values: list[bytes] = []
        for line, fields in batch:
            try:
                values += self._literals_of(line, fields)
            except SourceError as error:
                return values, error
        return values, None

    def _counted(self, value: bytes, records: int) -> bytes:
        self.records += records
        self.batches += 1
        return value

    def _without_blank_lines(self, rows: Iterator[Row]) -> Iterator[Row]:
        blank = 0
        for line, fields in rows:
            if not fields:
                blank = blank or line
                continue
            if blank:
                raise SourceError(f"{self._source.path}: line {blank}: the line is blank, but records follow; remove it")
            yield line, fields

    def _rows(self, lines: Iterable[bytes], prefix: bytes = b"") -> Iterator[Row]:
        """Line and fields of each record; a quoted field may hold line breaks, so a record may have several lines."""
        if self._source.format is SourceFormat.WHITESPACE:
            for text in self._texts(lines, prefix):
                # As bytes, so that only ASCII's white space separates, here as in plain batches.
                yield self._line, [field.decode() for field in text.encode().split()]
            return
        begins = self._line + 1
        try:
            for fields in csv.reader(self._texts(lines, prefix), delimiter=self._delimiter, strict=True):
                yield begins, fields
                begins = self._line + 1
        except csv.Error as error:
            what = "shorten this field" if "field limit" in str(error) else "mend the quotes of this record"
            raise SourceError(f"{self._source.path}: line {begins}: {error}; {what}") from error

    def _texts(self, lines: Iterable[bytes], prefix: bytes) -> Iterator[str]:
        for line in lines:
            self._line += 1
            self._digest.update(line)
            try:
                yield line.removeprefix(prefix).decode()
            except UnicodeDecodeError as error:
                bad = line[error.start : error.end]
                raise SourceError(
                    f"{self._source.path}: line {self._line}, byte {error.start + 1} of the line: expected UTF-8, got {bad!r}; "
                    "write the file in UTF-8"
                ) from error

    def _literals_of(self, line: int, fields: list[str]) -> list[bytes]:
        """The fields of a record as JSON values."""
        where = f"{self._source.path}: line {line}"
        if len(fields) != len(self._columns):
            kind = "short" if len(fields) < len(self._columns) else "long"
            raise SourceError(
                f"{where}: the line is too {kind}: expected {len(self._columns)} fields, got {len(fields)}: "
                f"{shorten(self._delimiter.join(fields))}; mend the source"
            )
        values: list[bytes] = []
        try:
            for field, to_json in zip(fields, self._literal, strict=True):
                values.append(to_json(field))
        except ValueError as error:
            column, field = self._columns[len(values)], shorten(fields[len(values)])
            expected = column.type.sql + ("" if column.nullable else " NOT NULL")
            raise SourceError(
                f"{where}, column '{column.name}': expected {expected}, got {field!r} ({error}); mend the source"
            ) from error
        return values
