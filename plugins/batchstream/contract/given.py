"""``customProperties``: those of ours are a closed vocabulary, each name with the type of its value; others are left alone."""

import difflib
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, TypeVar

from open_data_contract_standard.model import CustomProperty

from batchstream.contract.mistake import Place
from batchstream.contract.mistakes import Mistakes

# As the fields of the standard that are true or false take them.
_WORDS = {"yes": True, "on": True, "no": False, "off": False}

VENDOR = "batchstream"
"""Says that a property is ours, in version 3.2 of the standard; without any vendor, its name says so."""

_NEAR = 0.8
"""How alike a name is to one of ours that is taken for a slip: ``topik``, ``index``, ``source_path``, but not ``topicName``."""

Types = type | tuple[type, ...]
T = TypeVar("T")


class Given:
    """What a list of ``customProperties`` says.

    Args:
        properties: The list.
        vocabulary: Name → type of its value.
        mistakes: Takes each name that is one of ours misspelt or stands twice, and each value of another type.
        place: Of the list in the document.
        field: What messages begin with.
    """

    def __init__(
        self, properties: list[CustomProperty], vocabulary: Mapping[str, Types], mistakes: Mistakes, place: Place, field: str
    ) -> None:
        self._mistakes, self._place, self._field = mistakes, place, field
        self._values: dict[str, Any] = {}
        self._numbers: dict[str, int] = {}
        for number, entry in enumerate(properties):
            with mistakes.at(*place, number):
                self._add(number, entry, vocabulary)

    def _add(self, number: int, entry: CustomProperty, vocabulary: Mapping[str, Types]) -> None:
        name, value = entry.property or "", entry.value
        if name not in vocabulary or not is_ours(entry, vocabulary):
            if write := _correction(entry, vocabulary):
                raise ValueError(f"{self._field}'{name}' is not known; {write}")
            self._mistakes.tell((*self._place, number), f"{self._field}'{name}' has no effect: is not batchstream's")
            return
        if name in self._numbers:
            raise ValueError(f"{self._field}'{name}' stands twice; write it once")
        self._numbers[name] = number
        if self._mistakes.any_below((*self._place, number)):
            return
        if vocabulary[name] is bool:
            value = _WORDS.get(value, value) if isinstance(value, str) else value
        if not isinstance(value, vocabulary[name]) or (isinstance(value, bool) and vocabulary[name] is not bool):
            quotes = ", in quotes" if vocabulary[name] is str and not isinstance(value, list | dict) else ""
            raise ValueError(f"{self._field}{name}: got {value!r}; write a {worded(vocabulary[name])}{quotes}")
        self._values[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def stands(self, name: str) -> bool:
        """Whether a name is there, also with a value that is not of its type."""
        return name in self._numbers

    def get(self, name: str, default: Any = None) -> Any:
        """The value under a name; the default, too, in place of one that is not of its type."""
        return self._values.get(name, default)

    def placed(self, name: str) -> tuple[Place, Any] | None:
        """Where a name stands, and its value; None without one."""
        return ((*self._place, self._numbers[name], "value"), self._values[name]) if name in self._values else None

    def note(self, name: str, message: str) -> None:
        """Note a mistake where a name stands, if it does."""
        self._mistakes.note((*self._place, self._numbers[name]) if name in self._numbers else self._place, message)

    def read(self, name: str, read: Callable[[], T]) -> T | None:
        """What `read` makes of the value under a name; None, and a mistake, if it raises a ValueError."""
        try:
            return read()
        except ValueError as error:
            self.note(name, f"{self._field}{name}: {error}")
            return None


def is_ours(entry: CustomProperty, vocabulary: Mapping[str, Types]) -> bool:
    """Whether a property is read, or would be if its name were right."""
    return entry.vendor == VENDOR or (entry.vendor is None and entry.property in vocabulary)


def _correction(entry: CustomProperty, vocabulary: Mapping[str, Types]) -> str | None:
    """What to write in place of an unknown name; None if it may be somebody else's."""
    near = difflib.get_close_matches(_plain(entry.property or ""), [_plain(name) for name in vocabulary], n=1, cutoff=_NEAR)
    meant = next((name for name in vocabulary if near == [_plain(name)]), None)
    if entry.vendor == VENDOR or not entry.property:
        return f"write {meant}" if meant else f"write one of {', '.join(vocabulary)}"
    return f"write {meant}, or the vendor of a property that is not batchstream's" if meant and entry.vendor is None else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def worded(types: Types) -> str:
    """What messages call the types of a value."""
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", NoneType: "null", list: "list"}
    return " or ".join(names[one] for one in (types if isinstance(types, tuple) else (types,)))
