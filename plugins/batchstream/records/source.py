"""Reads a source file into batches of typed records, streaming: memory doesn't grow with the file.

The fields of a line become JSON values, and the codec that the consumer uses judges the batch before it is sent: what leaves here
lands. Where a batch is refused, its lines are looked at field by field, for other spellings of a number and for the message.
"""

import csv
import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import IO

from batchstream.contract.model import Contract, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH, RecordCodec, shorten
from batchstream.records.literals import json_value

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
Row = tuple[int, list[str]]


def check_header(contract: Contract) -> None:
    """Read the first line of the source only.

    Raises:
        SourceError: The file is missing, empty, not UTF-8, or its header names other columns than the contract.
    """
    for _ in SourceReader(contract).rows():
        return


class SourceReader:
    """One pass over a source; iterate to get its batches.

    Attributes:
        records: Records read so far.
        batches: Batches given so far.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._source = contract.source
        self._names = [column.name for column in contract.columns]
        self._digest = hashlib.sha256()
        self._codec = RecordCodec(contract)
        # Numbers need no quotes and no NULL: their fields are JSON as they stand.
        self._plain = all(column.type.python in (int, float) and not column.nullable for column in contract.columns)
        self.records = 0
        self.batches = 0

    @property
    def sha256(self) -> str:
        """Checksum of what was read so far: of the whole file after the last batch."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        """Batches of at most 100 records, as the values of messages.

        Raises:
            SourceError: File, line, column, rule and value of the first fault; or the source holds no record.
        """
        rows = self.rows()
        while chunk := list(islice(rows, MAX_RECORDS_PER_BATCH)):
            value = self._batch(chunk)
            self.records += len(chunk)
            self.batches += 1
            yield value
        if not self.records:
            raise SourceError(f"{self._source.path}: the source has a header but no record; write at least one")

    def rows(self) -> Iterator[Row]:
        """Line number and fields of each record, after the header was compared with the contract."""
        try:
            with self._source.path.open("rb") as file:
                if not file.peek(1):
                    raise SourceError(f"{self._source.path}: the source is empty; expected a header: {' '.join(self._names)}")
                yield from self._after_header(self._split(file))
        except OSError as error:
            raise SourceError(f"{self._source.path}: the source can't be read: {error.strerror}; mend sourcePath") from error

    def _split(self, file: IO[bytes]) -> Iterator[Row]:
        if self._source.format is SourceFormat.WHITESPACE:
            for number, line in enumerate(self._lines(file), 1):
                yield number, line.split()
            return
        reader = csv.reader(self._lines(file), delimiter=self._source.delimiter, strict=True)
        begins = 1
        try:
            for fields in reader:
                yield begins, fields
                # A quoted field may hold line breaks, so a record may end on another line than it began.
                begins = reader.line_num + 1
        except csv.Error as error:
            raise SourceError(f"{self._source.path}: line {begins}: {error}; mend the quotes of this record") from error

    def _lines(self, file: IO[bytes]) -> Iterator[str]:
        for number, line in enumerate(file, 1):
            self._digest.update(line)
            if number == 1:
                line = line.removeprefix(_BYTE_ORDER_MARK)
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                bad = line[error.start : error.end]
                raise SourceError(
                    f"{self._source.path}: line {number}, byte {error.start + 1} of the line: expected UTF-8, got {bad!r}; "
                    "write the file in UTF-8"
                ) from error

    def _after_header(self, rows: Iterator[Row]) -> Iterator[Row]:
        number, header = next(rows)
        header = [name.strip() for name in header]
        if header != self._names:
            raise SourceError(
                f"{self._source.path}: line {number}: expected the header {' '.join(self._names)}, "
                f"got {shorten(' '.join(header))}; mend the source, its format or the contract"
            )
        blank = 0
        for number, fields in rows:
            if not fields:
                blank = blank or number
                continue
            if blank:
                raise SourceError(f"{self._source.path}: line {blank}: the line is blank, but records follow; remove it")
            yield number, fields

    def _batch(self, chunk: list[Row]) -> bytes:
        if self._plain and all(len(fields) == len(self._names) for _, fields in chunk):
            value = self._codec.encode([fields for _, fields in chunk])
            if len(self._codec.decode(value).records) == len(chunk):
                return value
        value = self._codec.encode([self._values(number, fields) for number, fields in chunk])
        if rejected := self._codec.decode(value).rejected:
            number = chunk[rejected[0].position or 0][0]
            raise SourceError(f"{self._source.path}: line {number}: {rejected[0].reason}; mend the source")
        return value

    def _values(self, number: int, fields: list[str]) -> list[str]:
        """The fields of a record as JSON values."""
        where = f"{self._source.path}: line {number}"
        if len(fields) != len(self._names):
            kind = "short" if len(fields) < len(self._names) else "long"
            raise SourceError(
                f"{where}: the line is too {kind}: expected {len(self._names)} fields, got {len(fields)}: "
                f"{shorten(' '.join(fields))}; mend the source"
            )
        values = []
        for column, field in zip(self._contract.columns, fields, strict=True):
            try:
                values.append(json_value(column, field, self._source.null))
            except ValueError as error:
                raise SourceError(
                    f"{where}, column '{column.name}': expected {column.type.sql}{'' if column.nullable else ' NOT NULL'}, "
                    f"got {shorten(field)!r} ({error}); mend the source"
                ) from error
        return values
