"""Arrays of one dimension, written as JSON or as PostgreSQL prints them, and their bytes."""

import re
import struct
from collections.abc import Callable, Iterator

import msgspec

from batchstream.contract.column_types import ColumnType
from batchstream.records.forms import wire

_BLANK = r"[ \t\n\v\f\r]*"
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# Outside of quotes PostgreSQL takes an escape for the character behind it; here it needs quotes.
_ELEMENT = re.compile(rf'{_BLANK}(?:{_QUOTED}|([^{{}}",\\\s](?:[^{{}}",\\]*[^{{}}",\\\s])?)){_BLANK}([,}}])', re.DOTALL)
_EMPTY = re.compile(rf"{{{_BLANK}}}")
_raw_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode
_WRITE = "write an array of one dimension, such as [1,2] or {1,2}"


class ArrayJudge:
    """Judges the arrays of a column.

    Args:
        element: Type of the elements.
        value_of: Gives the value of an element that is written as in a field of a source, or raises ValueError.
    """

    def __init__(self, element: ColumnType, value_of: Callable[[str], object]) -> None:
        self._is_json = element.form in ("json", "jsonb")
        self._is_text = element.python is str
        self._value_of = value_of
        self._to_bytes = wire.encoder(element)
        self._oid = wire.oid(element)

    def __call__(self, text: str) -> bytes:
        """PostgreSQL's bytes of an array."""
        text = text.strip(" \t\n\v\f\r")
        elements = list(self._of_json(text) if text.startswith("[") else _of_postgres(text))
        values: list[bytes | None] = []
        for number, element in enumerate(elements, 1):
            try:
                values.append(None if element is None else self._to_bytes(self._value_of(element)))
            except ValueError as error:
                raise ValueError(f"element {number}: {error}") from error
        if not values:
            return struct.pack(">iiI", 0, 0, self._oid)
        parts = [struct.pack(">iiIii", 1, None in values, self._oid, len(values), 1)]
        for value in values:
            parts.append(b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value)) + value)
        return b"".join(parts)

    def _of_json(self, text: str) -> Iterator[str | None]:
        try:
            elements = [bytes(raw) for raw in _raw_elements(text)]
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError(f"is no array ({error}); {_WRITE}") from error
        for raw in elements:
            if raw == b"null":
                yield None
            elif self._is_json:
                yield raw.decode()
            elif raw.startswith(b'"'):
                yield _text(raw)
            elif raw[:1] in b"[{":
                raise ValueError(f"holds an array or an object; {_WRITE}, or jsonb in the contract")
            elif self._is_text:
                raise ValueError(f"holds {raw[:20].decode()}, which is no text; put it in quotes")
            else:
                yield raw.decode()


def _of_postgres(text: str) -> Iterator[str | None]:
    if _EMPTY.fullmatch(text):
        return
    at = 1
    while found := _ELEMENT.match(text, at) if text.startswith("{") else None:
        quoted, plain, end = found.groups()
        if plain is None:
            yield re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        else:
            yield None if plain.lower() == "null" else plain
        at = found.end()
        if end == "}" and at == len(text):
            return
        if end == "}":
            break
    raise ValueError(f"is no array; {_WRITE}")
