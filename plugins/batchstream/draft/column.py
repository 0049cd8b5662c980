"""The type of a column, by the values that it was seen to hold."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from batchstream.draft.kinds import DATE_FORMATS, NULL_WORDS, TIMESTAMP_FORMATS, formats_of, kind_of

MAX_REMEMBERED = 20_000
"""Distinct values of which the kind is remembered, and by which it is seen whether values repeat."""

MIN_RECORDS_OF_KEY = 20
"""Of fewer, that no value is there twice says nothing."""

_MAX_INTEGER = 2**31


class DraftColumn:
    """What is known of a column.

    Attributes:
        name: What the source calls it.
        is_text: Whether it is text whatever it holds, as a better type was refused.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_text = False
        self._kinds: Counter[str] = Counter()
        self._nulls: set[str] = set()
        self._known: dict[str, str] = {}
        self._largest = 0
        self._formats: tuple[set[str], set[str]] = (set(DATE_FORMATS), set(TIMESTAMP_FORMATS))
        self._values: set[str] = set()
        self.repeats = self.has_null = False
        self.count = 0

    def add(self, fields: Iterable[str | None]) -> None:
        """Take note of some values; None is NULL."""
        for field in fields:
            self.count += 1
            if field is None or field == "":
                self.has_null = True
                continue
            if not self.repeats:
                self.repeats = field in self._values
                if len(self._values) < MAX_REMEMBERED:
                    self._values.add(field)
            if field in NULL_WORDS:
                self._nulls.add(field)
            if self._kinds["text"]:
                # Whatever follows, the column is text.
                continue
            kind = self._known.get(field)
            if kind is None:
                kind = self._look(field)
                if len(self._known) < MAX_REMEMBERED:
                    self._known[field] = kind
            self._kinds[kind] += 1

    def _look(self, field: str) -> str:
        if field.strip() in NULL_WORDS:
            self._nulls.add(field.strip())
            return "null"
        kind = kind_of(field)
        if kind == "integer":
            self._largest = max(self._largest, abs(int(field)))
        elif kind == "formatted":
            for formats, all_formats in zip(self._formats, (DATE_FORMATS, TIMESTAMP_FORMATS), strict=True):
                formats.intersection_update(formats_of(field.strip(), all_formats))
        return kind

    @property
    def is_key_candidate(self) -> bool:
        """Whether every value was there and another one."""
        return not (self.repeats or self.has_null or self._nulls) and len(self._values) == self.count >= MIN_RECORDS_OF_KEY

    def type(self) -> tuple[str, dict[str, Any], str | None]:
        """Type, settings of the spelling, and what is not certain."""
        kinds = {kind for kind in self._kinds if kind != "null"}
        if self.is_text or not kinds:
            return "text", {}, None if kinds or self.is_text else "no value was seen"
        found, settings, note = self._typed(kinds)
        if self._nulls and found == "text":
            words = ", ".join(sorted(self._nulls))
            return found, settings, note or f"{words} stands among the texts; name it under sourceNull if it means no value"
        if self._nulls:
            settings = {"sourceNull": ["", *sorted(self._nulls)], **settings}
        return found, settings, note

    def _typed(self, kinds: set[str]) -> tuple[str, dict[str, Any], str | None]:
        if kinds == {"integer"}:
            return ("bigint" if self._largest >= _MAX_INTEGER else "integer"), {}, None
        if kinds <= {"integer", "float"}:
            return "double precision", {}, None
        if "comma" in kinds and kinds <= {"integer", "comma"}:
            return "double precision", {"sourceDecimal": ","}, None
        if "thousands" in kinds and kinds <= {"integer", "float", "thousands"}:
            return "double precision", {"sourceThousands": ","}, "numbers with a comma between thousands"
        if len(kinds) == 1 and kinds <= {"boolean", "date", "timestamp", "timestamptz", "uuid"}:
            return next(iter(kinds)), {}, None
        if kinds == {"formatted"}:
            return self._formatted()
        has_zeros = "zeros" in kinds and kinds <= {"zeros", "integer"}
        return "text", {}, "zeros stand before some numbers, which would be lost" if has_zeros else None

    def _formatted(self) -> tuple[str, dict[str, Any], str | None]:
        for formats, kind, setting in zip(
            self._formats, ("date", "timestamp"), ("sourceDateFormat", "sourceTimestampFormat"), strict=True
        ):
            if len(formats) == 1:
                return kind, {setting: next(iter(formats))}, None
            if formats:
                return "text", {}, f"{kind}s, but day and month can't be told apart: {' or '.join(sorted(formats))} as {setting}"
        return "text", {}, None
