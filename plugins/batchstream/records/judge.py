"""Decides which records of a source keep their contract, and gives their values as JSON."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from batchstream.contract.model import Column, Contract
from batchstream.contract.source import Source, SourceFormat
from batchstream.records.codec import MAX_RECORDS_PER_BATCH, RecordCodec
from batchstream.records.damaged_json import storable
from batchstream.records.escapes import BAD_ESCAPE, NULL_FIELD
from batchstream.records.layout import Layout
from batchstream.records.literals import NullError, literal, literals
from batchstream.records.recoded import UTF_8, first_undecodable
from batchstream.records.rejects import BadRecord
from batchstream.records.shown import shorten
from batchstream.records.taken import Row, Taken, UnreadableRow

BLANK_LINE = "the line is blank, but records follow; remove it"

Values = list[bytes]
"""Of one record, or of some that follow one another, as JSON texts."""


class Fault(NamedTuple):
    """Why a record is bad.

    Attributes:
        reason: Place, rule and value.
        column: The column with the fault, if it is one's.
        line: How many lines below the record's first the fault is.
    """

    reason: str
    column: str | None = None
    line: int = 0


class Judge:
    """Judges the records of one contract as the consumer's codec does: what it takes here lands there.

    Args:
        contract: The contract.
        codec: Its codec.
        layout: Which field of a record is whose.
    """

    def __init__(self, contract: Contract, codec: RecordCodec, layout: Layout) -> None:
        self._columns = contract.columns
        self._layout = layout
        self._codec = codec
        source = contract.source
        self._path = source.path
        self._encoding = source.encoding
        nulls = [_nulls(column, source) for column in contract.columns]
        self._literal = [literal(*one) for one in zip(contract.columns, nulls, strict=True)]
        self._literals = [literals(*one) for one in zip(contract.columns, nulls, strict=True)]
        unnamed = source.format is SourceFormat.CSV and source.quoted and not source.quotes_named
        self._may_lack_quotes = unnamed and not source.escape and layout.width > 1
        self._shown_delimiter = " " if contract.source.format is SourceFormat.WHITESPACE else contract.source.delimiter

    def all_good(self, taken: Taken) -> tuple[Values, bytes] | None:
        """The values of records that are all good, and their message; None if each has to be looked at, by `sift`."""
        return None if self._swallows_records(taken) else self._good_values(taken.rows)

    def _swallows_records(self, taken: Taken) -> bool:
        """Whether a record has lines of which each is a record; most have one line, and nothing is looked at."""
        if not self._may_lack_quotes or len(taken.lines) <= len(taken.rows):
            return False
        begin = 0
        for row in taken.rows:
            end = begin + 1 + sum(field.count("\n") for field in row)
            if self._are_records(taken.lines[begin:end]):
                return True
            begin = end
        return False

    def _are_records(self, lines: Sequence[str]) -> bool:
        """Whether each of several lines is a good record, if quotes have no meaning: as in many files with tabs."""
        if not self._may_lack_quotes or len(lines) < 2:
            return False
        rows = [line.rstrip("\r\n").split(self._shown_delimiter) for line in lines[:MAX_RECORDS_PER_BATCH]]
        return all(len(row) == self._layout.width for row in rows) and self._good_values(rows) is not None

    def _good_values(self, rows: list[Row]) -> tuple[Values, bytes] | None:
        width = len(self._columns)
        values = [b""] * (len(rows) * width)
        try:
            # Strict: a record with a field too few or too many is a fault, too.
            fields = list(zip(*rows, strict=True))
            if len(fields) != self._layout.width:
                return None
            for number, (position, to_json) in enumerate(zip(self._layout.positions, self._literals, strict=True)):
                values[number::width] = to_json(fields[position])
        except ValueError:
            return None
        value = self._codec.encode(values)
        return (values, value) if self._codec.accepts(value, len(rows)) else None

    def sift(self, taken: Taken, first_record_id: int) -> Iterator[Values | BadRecord]:
        """The values of good records that follow one another, and bad records, in the order of the source.

        Args:
            taken: The records.
            first_record_id: Of the first of them.
        """
        found: list[Values | Fault] = []
        line = taken.line
        spans: list[tuple[int, int]] = []
        for row, line_count in zip(taken.rows, taken.line_counts, strict=True):
            begin = line - taken.line
            line += line_count
            if not row and line - line_count in taken.comments:
                continue
            spans.append((begin, line - taken.line))
            found.append(self._values_of(row, taken.lines[begin : line - taken.line]))
        self._add_what_the_codec_rejects(found)
        run: Values = []
        for position, (one, (begin, end)) in enumerate(zip(found, spans, strict=True)):
            if isinstance(one, list):
                run += one
                continue
            if run:
                yield run
                run = []
            raw = "".join(taken.lines[begin:end]).rstrip("\r\n").encode("utf-8", "surrogateescape")
            line = taken.numbers[position] if taken.numbers else taken.line + begin + one.line
            yield BadRecord(first_record_id + position, line, one.column, one.reason, storable(raw), self._path)
        if run:
            yield run

    def _add_what_the_codec_rejects(self, found: list[Values | Fault]) -> None:
        positions = [position for position, one in enumerate(found) if isinstance(one, list)]
        if not positions:
            return
        value = self._codec.encode([text for one in found if isinstance(one, list) for text in one])
        for rejected in self._codec.decode(value).rejected:
            found[positions[rejected.position or 0]] = Fault(rejected.reason, rejected.column)

    def _values_of(self, row: Row, lines: Sequence[str]) -> Values | Fault:
        if isinstance(row, UnreadableRow):
            return Fault(row.reason)
        if not row:
            return Fault(BLANK_LINE)
        odd = [field for field in row if not (field.isascii() or field == NULL_FIELD or _is_unicode(field))]
        if any(BAD_ESCAPE in field or NULL_FIELD in field for field in odd):
            return Fault("an escape stands before a character that has no escape; write the escape twice to have it in a text")
        if odd:
            return _undecodable(lines, self._encoding)
        width = self._layout.width
        if len(row) != width:
            kind = "short" if len(row) < width else "long"
            shown = shorten(self._shown_delimiter.join(row))
            return Fault(f"the line is too {kind}: expected {width} fields, got {len(row)}: {shown}")
        if self._are_records(lines):
            return Fault(
                f"each of its {len(lines)} lines is a record by itself if quotes have no meaning here; write sourceQuote: none "
                "if so, or sourceQuote: '\"' if a text of it has line breaks"
            )
        values: Values = []
        try:
            for position, to_json in zip(self._layout.positions, self._literal, strict=True):
                values.append(to_json(row[position]))
        except NullError as error:
            column = self._columns[len(values)]
            return Fault(f"column '{column.name}': {error}", column.name)
        except ValueError as error:
            column, field = self._columns[len(values)], shorten(row[self._layout.positions[len(values)]])
            expected = column.type.sql + ("" if column.nullable else " NOT NULL")
            return Fault(f"column '{column.name}': expected {expected}, got {field!r} ({error})", column.name)
        return values


def _nulls(column: Column, source: Source) -> tuple[str, ...]:
    """The fields that stand for NULL, after the escapes of their line were taken out."""
    escape = source.escape
    nulls = tuple(NULL_FIELD if escape and null.startswith(escape) else null for null in column.spelling.nulls)
    return (NULL_FIELD, *nulls) if source.format.has_null else nulls


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _undecodable(lines: Sequence[str], encoding: str) -> Fault:
    for number, line in enumerate(lines):
        content = line.encode("utf-8", "surrogateescape")
        if encoding != UTF_8 and (bad := first_undecodable(content)):
            return Fault(f"expected {encoding}, got {bad!r}; mend the text, or sourceEncoding", None, number)
        try:
            content.decode()
        except UnicodeDecodeError as error:
            bad = error.object[error.start : error.end]
            where = f"byte {error.start + 1} of the line"
            return Fault(f"{where}: expected UTF-8, got {bad!r}; write the file in UTF-8, or sourceEncoding", None, number)
    return Fault("expected UTF-8; write the file in UTF-8")
