"""Reads a source file into batches of records as JSON, streaming: memory doesn't grow with the file.

The codec that the consumer uses judges each batch before it is sent: what leaves here lands.
"""

import hashlib
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO

from batchstream.contract.model import Contract, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH, RecordCodec, shorten
from batchstream.records.literals import MINUS_ZERO, literal, literals
from batchstream.records.messages import Batch
from batchstream.records.rows import Row, RowReader, lines_of

_MINUS_ZERO = re.compile(MINUS_ZERO.encode())

MAX_BATCH_BYTES = 512 * 1024
"""Of more than one record: half of what producers, brokers and topics take in a message unless they are told otherwise."""

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
    """Reads a source; each pass over it gives the same batches.

    Line ends are LF or CRLF, a byte order mark is allowed, and so are blank lines at the end, but not between records.

    Attributes:
        records: Records that this pass has read so far.
        batches: Batches that it has given so far.
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

    def __iter__(self) -> Iterator[Batch]:
        """Batches of 100 records, the last one of what is left; of fewer where those would be more than `MAX_BATCH_BYTES`.

        Raises:
            SourceError: File, line, column, rule and value of the first fault; or the source holds no record.
        """
        self._digest = hashlib.sha256()
        self.records = self.batches = 0
        with self._open() as file:
            self._read_header(file)
            chunks = self._chunks(file)
            rest = (yield from self._plain_batches(chunks)) if self._plain else chunks
            # So far each record was a line.
            yield from self._batches(RowReader(self._source, rest, 2 + self.records))
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
        self._digest.update(line)
        names = [column.source_name for column in self._columns]
        expected = self._delimiter.join(names)
        if not line:
            raise SourceError(f"{self._source.path}: the source is empty; expected the header {expected}")
        rows, _, fault = RowReader(self._source, [[line.removeprefix(_BYTE_ORDER_MARK)]], 1).take()
        if fault is not None:
            raise fault
        header = [name.strip() for row in rows for name in row]
        if header != names:
            raise SourceError(
                f"{self._source.path}: line 1: expected the header {expected}, got {shorten(self._delimiter.join(header))}; "
                "mend the source, its format or the contract, whose name is the header's and physicalName the table's"
            )

    def _chunks(self, file: IO[bytes]) -> Iterator[list[bytes]]:
        while lines := list(islice(file, MAX_RECORDS_PER_BATCH)):
            self._digest.update(b"".join(lines))
            yield lines

    def _plain_batches(self, chunks: Iterator[list[bytes]]) -> Generator[Batch, None, Iterator[list[bytes]]]:
        """Batches of lines that hold nothing but JSON numbers; returns the other lines, which are read by field."""
        for lines in chunks:
            values = self._plain_values(lines)
            if values is None or not self._codec.accepts(value := self._codec.encode(values), len(lines)):
                return chain([lines], chunks)
            yield from self._bounded(values, value)
        return chunks

    def _plain_values(self, lines: list[bytes]) -> list[bytes] | None:
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
        return values

    def _batches(self, reader: RowReader) -> Iterator[Batch]:
        fault: SourceError | None = None
        while fault is None:
            rows, line, fault = reader.take()
            values = self._values_by_column(rows)
            if values is None:
                values, earlier = self._values_by_row(rows, line)
                fault = earlier or fault
            if not values:
                break
            value = self._codec.encode(values)
            if not self._codec.accepts(value, len(values) // len(self._columns)):
                first = self._codec.decode(value).rejected[0]
                line += lines_of(rows[: first.position or 0])
                raise SourceError(f"{self._source.path}: line {line}, {first.reason}; mend the source")
            if fault is None:
                yield from self._bounded(values, value)
        # Only after the records before it, so that the first fault of the file is the one that is told.
        if fault is not None:
            raise fault

    def _values_by_column(self, rows: list[Row]) -> list[bytes] | None:
        """The values of records, one after the other; None if one of them has to be looked at, in `_values_by_row`."""
        width = len(self._columns)
        values = [b""] * (len(rows) * width)
        try:
            # Strict: a record with a field too few or too many is a fault, too.
            for number, (texts, to_json) in enumerate(zip(zip(*rows, strict=True), self._literals, strict=True)):
                values[number::width] = to_json(texts)
        except ValueError:
            return None
        return values

    def _values_by_row(self, rows: list[Row], line: int) -> tuple[list[bytes], SourceError | None]:
        """The same of the records before the first fault, and that fault."""
        values: list[bytes] = []
        for number, fields in enumerate(rows):
            try:
                values += self._values_of(fields)
            except ValueError as error:
                where = f"{self._source.path}: line {line + lines_of(rows[:number])}"
                return values, SourceError(f"{where}{error}; mend the source")
        return values, None

    def _values_of(self, fields: Row) -> list[bytes]:
        """The fields of a record as JSON values; a ValueError goes on where the number of the line ends."""
        if len(fields) != len(self._columns):
            kind = "short" if len(fields) < len(self._columns) else "long"
            raise ValueError(
                f": the line is too {kind}: expected {len(self._columns)} fields, got {len(fields)}: "
                f"{shorten(self._delimiter.join(fields))}"
            )
        values: list[bytes] = []
        try:
            for field, to_json in zip(fields, self._literal, strict=True):
                values.append(to_json(field))
        except ValueError as error:
            column, field = self._columns[len(values)], shorten(fields[len(values)])
            expected = column.type.sql + ("" if column.nullable else " NOT NULL")
            raise ValueError(f", column '{column.name}': expected {expected}, got {field!r} ({error})") from error
        return values

    def _bounded(self, values: list[bytes], value: bytes) -> Iterator[Batch]:
        """The batch of some values, or, if that is too large, those of its halves."""
        records = len(values) // len(self._columns)
        if len(value) > MAX_BATCH_BYTES and records > 1:
            middle = records // 2 * len(self._columns)
            for half in (values[:middle], values[middle:]):
                yield from self._bounded(half, self._codec.encode(half))
            return
        first_record_id = self.records + 1
        self.records += records
        self.batches += 1
        yield Batch(first_record_id, value)
