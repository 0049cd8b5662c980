"""A contract as its text has it: the values, and on which line each stands."""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from batchstream.contract.mistake import MistakeError, Place
from batchstream.contract.yaml_values import YamlValues

MAX_SIZE = 1024 * 1024
"""Bytes of a contract: what 1,000 columns with a description and a few rules each need."""

MAX_FOUND = 1000
"""Characters of a value, as JSON, that is told with a mistake."""


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
        MistakeError: The text is too long, or a line breaks a rule of ``yaml_scalars``.
        yaml.YAMLError: The text is not YAML.
    """
    document = read_located(text)
    if document.mistakes:
        raise document.mistakes[0]
    return document.value


def read_located(text: str) -> Document:
    """The same, with the line of each value; a value that breaks a rule keeps no other from being read.

    Raises:
        MistakeError: The text is too long, or what a line begins breaks a rule of ``yaml_values``.
        yaml.YAMLError: The text is not YAML.
    """
    if len(text) > MAX_SIZE:
        raise MistakeError("file", f"a contract has at most {MAX_SIZE:,} bytes; shorten it")
    reader = YamlValues(text)
    return Document(reader.document(), reader.lines, tuple(reader.mistakes))
