"""Reads YAML so that each value means what people read; what readers of YAML disagree about is refused.

PyYAML follows version 1.1 of YAML, in which ``010`` is 8, ``12:30`` is 750 and ``no`` is false, while other readers follow
version 1.2. Here a value without quotes is a number only as JSON writes numbers, and a date, a time or ``no`` is a text.
"""

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from batchstream.contract.mistake import MistakeError, Place

MAX_SIZE = 1024 * 1024
"""Bytes of a contract: what 1,000 columns with a description and a few rules each need."""

MAX_DEPTH = 100
"""Levels of a contract; the standard needs fewer than ten."""

MAX_VALUES = 100_000
"""With what aliases repeat, so that a few lines of them can't become billions of values."""

MAX_FOUND = 1000
"""Characters of a value, as JSON, that is told with a mistake."""

_NULLS = ("", "~", "null", "Null", "NULL")
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SPECIAL = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
# A number of version 1.1 that is a text or another number in version 1.2, or the other way round.
_DISPUTED = re.compile(
    r"[-+]?(0[0-9]+|0[xX][0-9a-fA-F][0-9a-fA-F_]*|0[oO][0-7]+|0[bB][01][01_]*|[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?)"
)
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Document:
    """What a text holds, and where.

    Attributes:
        value: Mappings with texts as keys, lists, texts, numbers, true, false and null.
        lines: By the identity of a mapping or a list, and a key or a number: the line where that begins.
        mistakes: Of single values; their text stands in their place.
        table: Number of the only table that was left of several, 0-based.
        moved: Place in the file → place here, of what doesn't stand where it is written.
    """

    value: Any
    lines: MutableMapping[tuple[int, str | int], int]
    mistakes: tuple[MistakeError, ...]
    table: int = 0
    moved: Mapping[Place, Place] = field(default_factory=dict)

    def line_of(self, place: Place) -> int:
        """The line of a place, or of the nearest one above it that the document has; what an alias repeats has its anchor's."""
        value, line = self.value, 1
        for part in place:
            line = self.lines.get((id(value), part), line)
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                break
        return line

    def written(self, place: Place) -> Place:
        """A place as the file has it."""
        origin = {to: written for written, to in self.moved.items()}
        for length in range(len(place), 0, -1):
            if (written := origin.get(place[:length])) is not None:
                return (*written, *place[length:])
        return place

    def found_at(self, place: Place) -> Any:
        """What stands at a place; None if nothing does, or more than anybody would look at."""
        value = self.value
        try:
            for part in place:
                value = value[part]
            return value if len(json.dumps(value, allow_nan=False)) <= MAX_FOUND else None
        except (KeyError, IndexError, TypeError, ValueError):
            return None


def read_document(text: str) -> Any:
    """Mappings with texts as keys, lists, texts, numbers, true, false and null.

    Raises:
        MistakeError: The text is too long, or a line breaks a rule of this module.
        yaml.YAMLError: The text is not YAML.
    """
    document = read_located(text)
    if document.mistakes:
        raise document.mistakes[0]
    return document.value


def read_located(text: str) -> Document:
    """The same, with the line of each value; a value that breaks a rule keeps no other from being read.

    Raises:
        MistakeError: The text is too long, or what a line begins breaks a rule of this module.
        yaml.YAMLError: The text is not YAML.
    """
    if len(text) > MAX_SIZE:
        raise MistakeError("file", f"a contract has at most {MAX_SIZE:,} bytes; shorten it")
    reader = _Reader(text)
    return Document(reader.document(), reader.lines, tuple(reader.mistakes))


class _Reader:
    """Builds a document from the events of libyaml's parser: its composer recurses in C, without a limit."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
        # Value of an anchor, and how many values it holds.
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self.lines: dict[tuple[int, str | int], int] = {}
        self.mistakes: list[MistakeError] = []

    def document(self) -> Any:
        next(self._events)  # The stream begins.
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        document = self._value(next(self._events), 0)
        next(self._events)  # The document ends.
        if not isinstance(following := next(self._events), yaml.StreamEndEvent):
            raise _mistake(following, "a second document begins; keep one document in the file")
        return document

    def _value(self, event: Any, depth: int, place: Place = ()) -> Any:
        if isinstance(event, yaml.AliasEvent):
            value, size = self._alias(event)
            self._count(event, size)
            return value
        before = self._values
        self._count(event, 1)
        if depth > MAX_DEPTH:
            raise _mistake(event, f"more than {MAX_DEPTH} levels deep; write what the standard says")
        if event.tag not in (None, _TEXT_TAG) or (event.tag and not isinstance(event, yaml.ScalarEvent)):
            raise _mistake(event, f"got the tag {event.tag!r}; write the value without a tag")
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
            raise _mistake(
                event, f"alias *{event.anchor} has no anchor before it; write &{event.anchor} where it begins"
            ) from None

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise _mistake(event, f"more than {MAX_VALUES:,} values, with those that aliases repeat; shorten the contract")

    def _scalar(self, event: Any, place: Place) -> Any:
        try:
            return _scalar(event)
        except MistakeError as error:
            error.at = place
            self.mistakes.append(error)
            return event.value.replace("\0", "")

    def _mapping(self, depth: int, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _mistake(event, "a key must be a text; write the name of a field")
            key = event.value
            if key == "<<" and event.implicit[0]:
                raise _mistake(event, "merge keys (<<) are not read; write the fields out, or an alias for a whole value")
            if key in mapping:
                raise _mistake(event, f"key {key!r} stands twice in one mapping; write it once")
            self._count(event, 1)
            self.lines[id(mapping), key] = _line(event)
            mapping[key] = self._value(next(self._events), depth + 1, (*place, key))
        return mapping

    def _sequence(self, depth: int, place: Place) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self.lines[id(values), len(values)] = _line(event)
            values.append(self._value(event, depth + 1, (*place, len(values))))
        return values


def _scalar(event: Any) -> Any:
    text: str = event.value
    if "\0" in text:
        raise _mistake(event, f"got {text!r}; write it without U+0000, which PostgreSQL can't store")
    plain = event.implicit[0] and event.tag is None
    if not plain:
        return text
    if text in _NULLS:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if text.lower() in _SPECIAL:
        return float(_SPECIAL[text.lower()])
    if _DISPUTED.fullmatch(text):
        said = f"write {_plain_number(text)}, or '{text}' in quotes if it is a text" if len(text) < 40 else "put it in quotes"
        raise _mistake(event, f"got {text!r}, which is not the same number to every reader of YAML; {said}")
    if _INTEGER.fullmatch(text):
        return _integer(event, text)
    if _FLOAT.fullmatch(text):
        return _float(event, text)
    return text


def _integer(event: Any, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _mistake(event, f"a number of {len(text)} digits; put it in quotes if it is a text") from None


def _float(event: Any, text: str) -> float:
    number = float(text)
    # Infinity, zero for what is not zero, or digits that would be lost without a word.
    if abs(number) == float("inf") or Decimal(text) != Decimal(repr(number)):
        raise _mistake(
            event, f"got {text!r}, which double precision would hold as {number!r}; write that, or quotes if it is a text"
        )
    return number


def _plain_number(text: str) -> str:
    text = text.replace("_", "").lower()
    sign, digits = ("-" if text.startswith("-") else ""), text.lstrip("+-")
    if digits[:2] in ("0x", "0o", "0b"):
        return f"{sign}{int(digits, 0)}"
    return f"{sign}{digits.lstrip('0') or '0'}"


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _mistake(event: Any, rule: str) -> MistakeError:
    return MistakeError(f"line {_line(event)}", rule, line=_line(event))
