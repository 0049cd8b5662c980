"""Takes the escapes of a source out of its lines before they are split, and puts what they stand for into the fields.

Between the two, each is half of a surrogate pair, which no text in UTF-8 has, so that nothing splits at an escaped delimiter.
"""

import re

from batchstream.contract.source import Source

NULL_FIELD = "\ud900"
"""Stands for NULL where ``sourceNull`` is written by an escape, as in ``\\N``: a text may be the same but for its escape."""

BAD_ESCAPE = "\ud901"
"""Stands for an escape before a character that needs none."""

_FIRST = 0xD910
# PostgreSQL's COPY and MySQL write these where there are no quotes.
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Escapes:
    """The escapes of one source."""

    def __init__(self, source: Source) -> None:
        self._escape = escape = source.escape or ""
        self._quoted = source.quoted
        self._pair = re.compile(re.escape(escape) + "(.)?", re.DOTALL)
        meanings = {escape: escape, source.delimiter: source.delimiter, **({'"': '"'} if source.quoted else _LETTERS)}
        self._hidden = {after: chr(_FIRST + number) for number, after in enumerate(meanings)}
        self._meanings = {ord(self._hidden[after]): meaning for after, meaning in meanings.items()}
        for null in source.spelling.nulls:
            if null.startswith(escape):
                self._hidden[null[1:]] = NULL_FIELD

    def hide(self, line: str) -> str:
        """The line without escapes."""
        return self._pair.sub(self._replaced, line) if self._escape in line else line

    def _replaced(self, pair: re.Match[str]) -> str:
        after = pair[1] or ""
        if after in ("\r", "\n", ""):
            # A quoted field keeps its line breaks anyway.
            return after if self._quoted else BAD_ESCAPE + after
        return self._hidden.get(after, BAD_ESCAPE)

    def restore(self, row: list[str]) -> list[str]:
        """The fields with what the escapes stand for."""
        return [field if field.isascii() else field.translate(self._meanings) for field in row]
