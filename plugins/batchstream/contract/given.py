"""``customProperties`` of ours: a closed vocabulary, each name with the type of its value."""

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, TypeVar

from open_data_contract_standard.model import CustomProperty

from batchstream.contract.mistake import Place
from batchstream.contract.mistakes import Mistakes

# As the fields of the standard that are true or false take them.
_WORDS = {"yes": True, "on": True, "no": False, "off": False}

Types = type | tuple[type, ...]
T = TypeVar("T")


class Given:
    """What a list of ``customProperties`` says.

    Args:
        properties: The list.
        vocabulary: Name → type of its value.
        mistakes: Takes each name that is unknown or stands twice, and each value of another type.
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
        if name not in vocabulary:
            raise ValueError(f"{self._field}'{name}' is not known; write one of {', '.join(vocabulary)}")
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


def worded(types: Types) -> str:
    """What messages call the types of a value."""
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", NoneType: "null"}
    return " or ".join(names[one] for one in (types if isinstance(types, tuple) else (types,)))
