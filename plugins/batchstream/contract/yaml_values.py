"""Reads YAML into mappings, lists and single values, within limits; no tags and no merge keys."""

from collections.abc import Iterator
from typing import Any

import yaml

from batchstream.contract.mistake import MistakeError, Place
from batchstream.contract.yaml_scalars import line_of, mistake_at, read_scalar

MAX_DEPTH = 100
"""Levels of a contract; the standard needs fewer than ten."""

MAX_VALUES = 100_000
"""With what aliases repeat, so that a few lines of them can't become billions of values."""

_TEXT_TAG = "tag:yaml.org,2002:str"


class YamlValues:
    """Builds a document from the events of libyaml's parser: its composer recurses in C, without a limit.

    Args:
        text: The YAML.

    Attributes:
        lines: By the identity of a mapping or a list, and a key or a number: the line where that begins.
        mistakes: Of single values; their text stands in their place.
    """

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
        # Value of an anchor, and how many values it holds.
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self.lines: dict[tuple[int, str | int], int] = {}
        self.mistakes: list[MistakeError] = []

    def document(self) -> Any:
        """Mappings with texts as keys, lists, texts, numbers, true, false and null.

        Raises:
            MistakeError: There are several documents, or something is in it that is no plain value.
            yaml.YAMLError: The text is not YAML.
        """
        next(self._events)  # The stream begins.
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        document = self._value(next(self._events), 0)
        next(self._events)  # The document ends.
        if not isinstance(following := next(self._events), yaml.StreamEndEvent):
            raise mistake_at(following, "a second document begins; keep one document in the file")
        return document

    def _value(self, event: Any, depth: int, place: Place = ()) -> Any:
        if isinstance(event, yaml.AliasEvent):
            value, size = self._alias(event)
            self._count(event, size)
            return value
        before = self._values
        self._count(event, 1)
        if depth > MAX_DEPTH:
            raise mistake_at(event, f"more than {MAX_DEPTH} levels deep; write what the standard says")
        if event.tag not in (None, _TEXT_TAG) or (event.tag and not isinstance(event, yaml.ScalarEvent)):
            raise mistake_at(event, f"got the tag {event.tag!r}; write the value without a tag")
        if isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(depth, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(depth, place)
        else:
            value = self._scalar(event, place)
        if event.anchor:
            self._anchors[event.anchor] = value, self._values - before
        return value

    def _alias(self, event: Any) -> tuple[Any, int]:
        try:
            return self._anchors[event.anchor]
        except KeyError:
            raise mistake_at(
                event, f"alias *{event.anchor} has no anchor before it; write &{event.anchor} where it begins"
            ) from None

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise mistake_at(event, f"more than {MAX_VALUES:,} values, with those that aliases repeat; shorten the contract")

    def _scalar(self, event: Any, place: Place) -> Any:
        try:
            return read_scalar(event)
        except MistakeError as error:
            error.at = place
            self.mistakes.append(error)
            return event.value.replace("\0", "")

    def _mapping(self, depth: int, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise mistake_at(event, "a key must be a text; write the name of a field")
            key = event.value
            if key == "<<" and event.implicit[0]:
                raise mistake_at(event, "merge keys (<<) are not read; write the fields out, or an alias for a whole value")
            if key in mapping:
                raise mistake_at(event, f"key {key!r} stands twice in one mapping; write it once")
            self._count(event, 1)
            self.lines[id(mapping), key] = line_of(event)
            mapping[key] = self._value(next(self._events), depth + 1, (*place, key))
        return mapping

    def _sequence(self, depth: int, place: Place) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self.lines[id(values), len(values)] = line_of(event)
            values.append(self._value(event, depth + 1, (*place, len(values))))
        return values
