"""Lines of numbers without NULL: JSON as they stand, so no field of such a source has to be looked at in Python."""

import re

from batchstream.contract.model import Column, Contract
from batchstream.contract.source import SourceFormat
from batchstream.records.judge import Values
from batchstream.records.literals import MINUS_ZERO
from batchstream.records.respelled import respeller

_MINUS_ZERO = re.compile(MINUS_ZERO.encode())

_END_OF_LINE = b"\0"
"""Marks the ends of lines among fields; it is in no JSON value, so a line with a field too few or too many can't be missed."""


def may_be_plain(contract: Contract) -> bool:
    """Whether good lines of the source hold nothing but JSON numbers."""
    return contract.source.format in (SourceFormat.CSV, SourceFormat.WHITESPACE) and all(map(_is_plain, contract.columns))


def _is_plain(column: Column) -> bool:
    """Whether every good value of a column is a JSON number, and every JSON number may be one."""
    marks_are_words = not any(character.isdigit() for null in column.spelling.nulls for character in null)
    return column.type.python in (int, float) and not column.nullable and marks_are_words and respeller(column) is None


class PlainLines:
    """Splits lines into fields, many lines at a time.

    Args:
        contract: Of a source that `may_be_plain`, whose fields are in the contract's order.
    """

    def __init__(self, contract: Contract) -> None:
        self._width = len(contract.columns)
        whitespace = contract.source.format is SourceFormat.WHITESPACE
        self._delimiter = b" " if whitespace else contract.source.delimiter.encode()
        self._separator = None if whitespace else self._delimiter

    def values(self, lines: list[bytes]) -> Values | None:
        """The fields of some lines, each the text of a JSON number as far as can be seen; None if a field has to be looked at."""
        text = b"".join(lines)
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        # Quotes, a bare CR, and -0, which JSON has as an integer without a sign, are for the field by field reader.
        if b'"' in text or b"\r" in text or (b"-0" in text and _MINUS_ZERO.search(text)):
            return None
        if not text.endswith(b"\n"):
            text += b"\n"
        separator = self._delimiter
        values = text.replace(b"\n", separator + _END_OF_LINE + separator).split(self._separator)
        if self._separator is not None:
            values.pop()  # What follows the last separator.
        width = self._width + 1
        if len(values) != len(lines) * width:
            return None
        # A mark elsewhere than at the end of its line is left among the values, and no JSON.
        del values[width - 1 :: width]
        return values
