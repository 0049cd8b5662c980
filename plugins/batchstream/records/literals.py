"""The spellings of a value that a source may use, as JSON."""

import re

import msgspec

from batchstream.contract.model import Column

_NUMBER = re.compile(r"([+-]?)0*(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?")
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), "true"),
    **dict.fromkeys(("false", "f", "no", "n", "0"), "false"),
}
_NANOSECONDS = re.compile(r":\d\d\.\d{7}")


def json_value(column: Column, field: str, null: str) -> str:
    """A field of a source as a JSON value, for the codec to judge.

    Spaces around anything but text are ignored. Numbers may be written as ``.5``, ``5.``, ``+1`` or ``007``; booleans as true,
    t, yes, y, 1 and their opposites in any case; timestamps with a space or a ``T``.

    Args:
        column: The column.
        field: The field, without its quotes.
        null: The field that stands for NULL in a nullable column.

    Raises:
        ValueError: The field is not spelled like a value of the column's type.
    """
    if column.nullable and field == null:
        return "null"
    kind = column.type.python
    if kind is str:
        return _quoted(field)
    text = field.strip()
    if column.type.copy_type == "numeric":
        return f'"{_number(text)}"'
    if kind in (int, float):
        return _number(text)
    if kind is bool:
        if text.lower() not in _BOOLEANS:
            raise ValueError("write true or false")
        return _BOOLEANS[text.lower()]
    if column.type.copy_type.startswith("timestamp"):
        if _NANOSECONDS.search(text):
            raise ValueError("at most 6 digits of a second")
        if "-" not in text:
            raise ValueError("write such as 2024-01-31T10:00:00" + ("+01:00" if column.type.has_zone else ""))
    return _quoted(text)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _number(text: str) -> str:
    """A number in JSON's spelling: without a plus, leading zeros or a bare point."""
    found = _NUMBER.fullmatch(text)
    if found is None or not re.search(r"\d", text.lower().split("e")[0]):
        raise ValueError("not a number")
    sign, whole, fraction, exponent = found.groups()
    return f"{'-' if sign == '-' else ''}{whole or '0'}{'.' + fraction if fraction else ''}{'e' + exponent if exponent else ''}"
