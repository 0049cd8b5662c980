"""What readers of sources have in common: they take some records at a time."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from batchstream.contract.elsewhere import Elsewhere
from batchstream.errors import SourceError

Row = list[str]
"""The fields of a record. A byte that is not UTF-8 is half of a surrogate pair in them, which no text that is UTF-8 has."""


class UnreadableRow(Row):
    """A record that can't be taken apart; it has no fields."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def __bool__(self) -> bool:
        """True, as only a blank line is no record."""
        return True


class Taken(NamedTuple):
    """Records that follow one another.

    Attributes:
        blank_lines: Lines before them that are blank, while records should follow one another.
        rows: At most a hundred; none at the end of the source.
        line_counts: How many lines each of them has.
        line: Number of the line on which the first of them begins.
        lines: What they were made of.
        fault: Why nothing that follows them can be told apart, if so.
        comments: Numbers of the lines that are comments, among those rows that are blank.
        numbers: Number of each row in its source, where that doesn't follow from its lines.
    """

    blank_lines: int
    rows: list[Row]
    line_counts: Iterable[int]
    line: int
    lines: Sequence[str]
    fault: SourceError | None
    comments: frozenset[int] = frozenset()
    numbers: Sequence[int] | None = None


class Rows(Protocol):
    """Reads the records of a source.

    Attributes:
        path: The file.
    """

    path: Path | Elsewhere

    def take(self) -> Taken:
        """The next records; none at the end."""
        ...
