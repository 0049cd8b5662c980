"""How the fields of a text are separated, and where its records begin."""

import csv
from collections import Counter
from typing import Any, NamedTuple

from batchstream.draft.kinds import kind_of

DELIMITERS = (",", ";", "\t", "|")

_MIN_SHARE = 0.98
_MAX_TITLE_LINES = 20
_WORDS = ("text", "boolean")
"""Kinds that the name of a column may look like."""


class Dialect(NamedTuple):
    """How a text is written.

    Attributes:
        settings: The ``customProperties`` of its contract.
        names: Of the columns; None if it has no header.
        width: Fields of a record.
    """

    settings: dict[str, Any]
    names: list[str] | None
    width: int


def find_dialect(lines: list[str]) -> Dialect:
    """The dialect of a text by its first lines, which keep their ends."""
    settings: dict[str, Any] = {}
    if lines and lines[0].startswith("#"):
        settings["sourceComment"] = "#"
        lines = [line for line in lines if not line.startswith("#")]
    blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if blank:
        settings["sourceSkipLines"] = blank
        lines = lines[blank:]
    found = max((_tried(lines, delimiter, quoted=quoted) for delimiter in DELIMITERS for quoted in (True, False)), key=_rank)
    rows = found.rows
    if found.share < _MIN_SHARE or found.width < 2:
        words = [line.encode().split() for line in lines if line.strip()]
        widths = Counter(map(len, words))
        if len(widths) == 1 and len(words) > 1 and next(iter(widths)) > 1:
            rows = [[word.decode() for word in row] for row in words]
            settings["sourceFormat"] = "whitespace"
            return _with_header(rows, len(rows[0]), settings)
        if found.width < 2:
            rows = _tried(lines, ",", quoted=True).rows
            return _with_header(rows, max((len(row) for row in rows), default=1), settings)
    if found.delimiter != ",":
        settings["sourceDelimiter"] = found.delimiter
    if not found.quoted:
        settings["sourceQuote"] = "none"
    elif any('"' in line for line in lines):
        settings["sourceQuote"] = '"'
    title = next((number for number, row in enumerate(rows[:_MAX_TITLE_LINES]) if len(row) == found.width), 0)
    if title:
        settings["sourceSkipLines"] = blank + title
    return _with_header([row for row in rows[title:] if row], found.width, settings)


class _Try(NamedTuple):
    delimiter: str
    quoted: bool
    rows: list[list[str]]
    width: int
    share: float


def _rank(one: _Try) -> tuple[bool, float, bool, int]:
    return one.width > 1, one.share, one.quoted, one.width


def _tried(lines: list[str], delimiter: str, *, quoted: bool) -> _Try:
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=True)
    rows: list[list[str]] = []
    try:
        rows.extend(reader)
    except csv.Error:
        # The last lines may be half a record.
        if not quoted or reader.line_num < len(lines):
            return _Try(delimiter, quoted, rows, 0, 0.0)
    widths = Counter(len(row) for row in rows if row)
    width, times = widths.most_common(1)[0] if widths else (0, 0)
    return _Try(delimiter, quoted, rows, width, times / max(1, widths.total()))


def _with_header(rows: list[list[str]], width: int, settings: dict[str, Any]) -> Dialect:
    first, rest = [name.strip() for name in rows[0]] if rows else [], rows[1:101]
    if len(first) != width:
        return Dialect(settings | {"sourceHeader": "none"}, None, width)
    kinds = [{kind_of(row[place]) for row in rest if len(row) == width and row[place]} for place in range(width)]
    # A name among values of one kind, or nothing but texts of which none is there twice.
    words = [kind_of(name) for name in first]
    named = any(words[place] in _WORDS and words[place] not in kind for place, kind in enumerate(kinds) if kind and first)
    numbers = sum(word not in _WORDS for word in words)
    if named or (not numbers and len(set(first)) == len(first)):
        return Dialect(settings, first, width)
    return Dialect(settings | {"sourceHeader": "none"}, None, width)
