"""The text of records that were no text in their source: a JSON object for each, made only where one has to be shown."""

from collections.abc import Sequence
from typing import overload

import msgspec

from batchstream.records.escapes import NULL_FIELD
from batchstream.records.taken import Row, UnreadableRow


class RowLines(Sequence[str]):
    """A line for each of some records.

    Args:
        names: What the source calls their fields.
        rows: Their fields.
    """

    def __init__(self, names: Sequence[str], rows: Sequence[Row]) -> None:
        self._names = names
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        row = self._rows[at]
        if isinstance(row, UnreadableRow):
            return ""
        values = {name: None if field == NULL_FIELD else field for name, field in zip(self._names, row, strict=False)}
        return msgspec.json.encode(values).decode()
