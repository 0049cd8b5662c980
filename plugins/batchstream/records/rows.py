"""Takes the lines of a source apart into records of fields, a hundred at a time: none costs steps of Python of its own."""

import csv
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import accumulate, chain, islice

from batchstream.contract.source import Source, SourceFormat
from batchstream.errors import SourceError
from batchstream.records.carriage_returns import BARE
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.escapes import Escapes
from batchstream.records.taken import Row, Taken, UnreadableRow

MAX_LINES_PER_RECORD = 1_000
"""A quoted field that spans more of them is a quote that is never closed, or a source without quotes."""

_MEND_QUOTES = "mend the quotes of this record, or write sourceQuote: none if the source has no quotes"
_ROWS_AT_ONCE = 10
_MAX_CHARACTERS_AT_ONCE = 8 * 1024 * 1024
"""After so many, fewer than a hundred records are taken at once: a record may have megabytes."""


def _line_counts(rows: Iterable[Row]) -> Iterator[int]:
    """How many lines each record has; a quoted field keeps its line breaks."""
    return (1 + sum(field.count("\n") for field in row) for row in rows)


class RowReader:
    """Reads the records of a source.

    Args:
        source: What the lines are of, and how it is written.
        chunks: The lines, some at a time.
        line: Number of the first of them.
        has_carriage_returns: Whether each LF among them was a CR in the source, which texts in quotes get back.

    Attributes:
        path: The file.
    """

    def __init__(self, source: Source, chunks: Iterable[list[bytes]], line: int, *, has_carriage_returns: bool = False) -> None:
        self.path = source.path
        self._first_line = self._line = self._begins = line
        self._blank_lines = self._characters = 0
        self._rows: list[Row] = []
        # Lines that were fed to the reader of rows and have not been given away by `take`.
        self._lines: list[str] = []
        self._ended = False
        self._comments: set[int] = set()
        self._between_records = True
        texts: Iterator[str] = chain.from_iterable(self._texts(chunks))
        if source.comment:
            texts = self._uncommented(texts, source.comment)
        # Whether a line begins a record is known only if each is asked for by itself.
        self._rows_at_once = 1 if source.comment else _ROWS_AT_ONCE
        self._csv = None
        if source.format is SourceFormat.CSV and source.quoted:
            self._csv = csv.reader(texts, delimiter=source.delimiter, strict=True)
        elif source.format is SourceFormat.CSV:
            self._csv = csv.reader(texts, delimiter=source.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        split = partial(_fixed, _slices(source.widths)) if source.widths else _fields
        self._found: Iterator[Row] = self._csv or map(split, texts)
        if source.blank_is_empty:
            self._found = (row or [""] for row in self._found)
        self._escapes = Escapes(source) if source.escape else None
        self._has_carriage_returns = has_carriage_returns

    def take(self) -> Taken:
        """The next records; none at the end, which blank lines may precede."""
        while True:
            line = self._line
            rows, fault = self._read()
            lines = self._lines[: self._line - line]
            del self._lines[: self._line - line]
            if any(rows) or not rows:
                break
            self._blank_lines += len(rows)
            if fault is not None:
                rows = []
                break
        blank_lines, self._blank_lines = (self._blank_lines, 0) if rows else (0, 0)
        while rows and not rows[-1]:
            # Only what follows says whether these are the end.
            rows.pop()
            self._blank_lines += 1
        comments = frozenset(self._comments)
        self._comments = {number for number in comments if number >= self._line - self._blank_lines}
        if self._escapes is None and not self._has_carriage_returns:
            return Taken(blank_lines, rows, _line_counts(rows), line, lines, fault, comments)
        # Before their line breaks come back, which were none in the source.
        line_counts = list(_line_counts(rows))
        rows = [row if isinstance(row, UnreadableRow) else self._restored(row) for row in rows]
        return Taken(blank_lines, rows, line_counts, line, lines, fault, comments)

    def _restored(self, row: Row) -> Row:
        if self._has_carriage_returns:
            row = [field.replace("\n", "\r") for field in row]
        return row if self._escapes is None else self._escapes.restore(row)

    def _read(self) -> tuple[list[Row], SourceError | None]:
        self._begins = self._line
        self._characters = 0
        rows = self._rows = []
        fault: SourceError | None = None
        more = True
        while more and fault is None and len(rows) < MAX_RECORDS_PER_BATCH and self._characters < _MAX_CHARACTERS_AT_ONCE:
            before = len(rows)
            self._between_records = True
            try:
                # The records before an error stay in the list.
                rows.extend(islice(self._found, min(self._rows_at_once, MAX_RECORDS_PER_BATCH - before)))
                more = len(rows) > before
            except SourceError as error:
                fault = error
            except csv.Error as error:
                fault = self._unreadable(error)
        self._line = self._first_line + self._csv.line_num if self._csv else self._begins + len(rows)
        return rows, fault

    def _unreadable(self, error: csv.Error) -> SourceError | None:
        """Take a line that is no CSV as a record without fields, or say why nothing behind it can be told apart."""
        line, last = self._begins + sum(_line_counts(self._rows)), self._first_line + (self._csv.line_num if self._csv else 0) - 1
        where = f"{self.path}: line {line}"
        if self._ended:
            return SourceError(f"{where}: {error}: a quote is opened and never closed; {_MEND_QUOTES}")
        if last > line:
            return SourceError(f"{where}: {error} in line {last}, so where this record ends is not known; {_MEND_QUOTES}")
        if "\r" in self._lines[line - self._begins].rstrip("\r\n"):
            self._rows.append(UnreadableRow(BARE))
            return None
        too_long = len(self._lines[line - self._begins]) > csv.field_size_limit()
        self._rows.append(UnreadableRow(f"{error}; {'shorten this field' if too_long else 'mend the quotes of this record'}"))
        return None

    def _uncommented(self, texts: Iterable[str], mark: str) -> Iterator[str]:
        """The same lines, with blank ones in the place of comments; a field in quotes may have lines that look like one."""
        for number, text in enumerate(texts, self._first_line):
            if self._between_records and text.startswith(mark):
                self._comments.add(number)
                yield "\n"
            else:
                self._between_records = False
                yield text

    def _texts(self, chunks: Iterable[list[bytes]]) -> Iterator[list[str]]:
        line = self._first_line
        for lines in chunks:
            if line - self._begins > MAX_LINES_PER_RECORD:
                begins = self._begins + sum(_line_counts(self._rows))
                if line - begins > MAX_LINES_PER_RECORD:
                    raise SourceError(
                        f"{self.path}: line {begins}: a quoted field spans more than {MAX_LINES_PER_RECORD:,} lines; "
                        f"{_MEND_QUOTES}"
                    )
            try:
                texts = list(map(bytes.decode, lines))
            except UnicodeDecodeError:
                texts = [text.decode("utf-8", "surrogateescape") for text in lines]
            self._lines += texts
            self._characters += sum(map(len, texts))
            yield texts if self._escapes is None else list(map(self._escapes.hide, texts))
            line += len(texts)
        self._ended = True


def _slices(widths: tuple[int, ...]) -> list[slice]:
    ends = list(accumulate(widths))
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]


def _fixed(slices: list[slice], text: str) -> Row:
    """The fields of a line without the blanks that fill them; blanks at the end of a line may be missing."""
    text = text.rstrip("\r\n")
    if not text.strip():
        return []
    if "\r" in text:
        return UnreadableRow(BARE)
    if len(text.rstrip()) > slices[-1].stop:
        return UnreadableRow(f"the line has {len(text.rstrip()):,} characters, sourceWidths {slices[-1].stop:,} in all; mend one")
    return [text[one].strip() for one in slices]


def _fields(text: str) -> Row:
    if "\r" in text.rstrip("\r\n"):
        return UnreadableRow(BARE)
    # As bytes, so that only ASCII's white space separates, here as in batches of plain numbers.
    return [field.decode("utf-8", "surrogateescape") for field in text.encode("utf-8", "surrogateescape").split()]
