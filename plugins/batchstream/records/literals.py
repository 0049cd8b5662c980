"""The spellings of a value that a source may use, as JSON.

Spaces around anything but text are ignored. Numbers may be written as ``.5``, ``5.``, ``+1``, ``007``, whole ones also as
``130.0`` and ``1.3e2``; booleans as true, t, yes, y, on, 1 and their opposites in any case; timestamps with
a space or a ``T``, offsets as ``+01:00``, ``+0100``, ``+01``, ``Z``.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import msgspec

from batchstream.contract.model import Column
from batchstream.records.respelled import respeller

Literal = Callable[[str], bytes]
Literals = Callable[[Sequence[str]], list[bytes]]


class NullError(ValueError):
    """NULL stands in a column that is NOT NULL."""


_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
MINUS_ZERO = r"-0(?![0-9.eE])"
"""To JSON an integer without a sign, so a float is written -0.0."""

_MINUS_ZERO = re.compile(MINUS_ZERO)
# Possessive, or a field of nothing but zeros and a letter would take a minute.
_NUMBER = re.compile(r"([+-]?)0*+([0-9]*+)(?:\.([0-9]*+))?(?:[eE]([+-]?[0-9]++))?")
# With an exponent of few digits: a larger one is out of every integer's range.
_WHOLE = re.compile(rb"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), b"true"),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), b"false"),
}
# PostgreSQL prints the offset of a timestamp without its minutes.
_HOURS_ONLY = re.compile(r":\d\d(?:\.\d+)?[+-]\d\d$")

_encode = msgspec.json.Encoder().encode
_decode_numbers = msgspec.json.Decoder(list[float]).decode


def literal(column: Column, nulls: tuple[str, ...]) -> Literal:
    """What turns a field of a source into a JSON value of a column, for the codec to judge.

    A CSV reader can't tell an empty field from an empty quoted one. Where the empty field is NULL, both are NULL in a nullable
    column, and the empty text in a text column that is NOT NULL.

    Args:
        column: The column.
        nulls: The fields that stand for NULL.

    Returns:
        A function of the field, which raises NullError for NULL in a column that is NOT NULL, and another ValueError for a field
        that isn't spelled like a value of the column's type.
    """
    not_null = _literal_of_type(column)
    marks = _marks(column, nulls)

    def either(text: str) -> bytes:
        if text not in marks:
            return not_null(text)
        if column.nullable:
            return b"null"
        raise NullError("NULL in a column that is required")

    if column.spelling.trimmed:
        return lambda text: either(text.strip())
    return either


def literals(column: Column, nulls: tuple[str, ...]) -> Literals:
    """The same for the fields of many records: what `literal` gives for each of them, in less time."""
    not_null = _literals_of_type(column)
    marks = _marks(column, nulls)
    if not marks:
        either = not_null
    elif len(marks) == 1:
        either = partial(_but_null, not_null, column, next(iter(marks)))
    else:
        either = partial(_but_nulls, not_null, column, marks)
    return (lambda texts: either([text.strip() for text in texts])) if column.spelling.trimmed else either


def _but_null(not_null: Literals, column: Column, mark: str, texts: Sequence[str]) -> list[bytes]:
    """Of the one mark that most sources have: to compare texts takes less time than to look for them in a set."""
    if mark not in texts:
        return not_null(texts)
    if not column.nullable:
        raise NullError("NULL in a column that is required")
    values = iter(not_null([text for text in texts if text != mark]))
    return [b"null" if text == mark else next(values) for text in texts]


def _but_nulls(not_null: Literals, column: Column, marks: frozenset[str], texts: Sequence[str]) -> list[bytes]:
    if marks.isdisjoint(texts):
        return not_null(texts)
    if not column.nullable:
        raise NullError("NULL in a column that is required")
    values = iter(not_null([text for text in texts if text not in marks]))
    return [b"null" if text in marks else next(values) for text in texts]


def _marks(column: Column, nulls: tuple[str, ...]) -> frozenset[str]:
    """The fields that are NULL; the empty one is a value of a text column that is NOT NULL."""
    if not column.nullable and column.type.python is str:
        return frozenset(nulls) - {""}
    return frozenset(nulls)


def _literals_of_type(column: Column) -> Literals:
    one = _literal_of_type(column)
    if respeller(column) is not None:
        return lambda texts: list(map(one, texts))
    quick: Callable[[Sequence[str]], list[bytes] | None] | None = None
    if column.type.python is int:
        quick = partial(_plain_numbers, whole=True)
    elif column.type.python is float or column.type.copy_type == "numeric":
        quick = _plain_numbers
    elif column.type.python is bool:
        quick = _plain_booleans
    if quick is None:
        return lambda texts: list(map(one, texts))
    return lambda texts: quick(texts) or list(map(one, texts))


def _plain_numbers(texts: Sequence[str], *, whole: bool = False) -> list[bytes] | None:
    """Numbers that are JSON as they stand, without point and exponent if they are to be whole; None if one of them is not."""
    joined = ",".join(texts)
    if whole and any(sign in joined for sign in ".eE"):
        return None
    if any(blank in joined for blank in " \t\r\n") or ("-0" in joined and _MINUS_ZERO.search(joined)):
        return None
    try:
        numbers = _decode_numbers(f"[{joined}]")
    except msgspec.DecodeError:
        return None
    values = joined.encode().split(b",")
    # A field may hold a comma itself, and one that is empty is no number.
    return values if len(values) == len(numbers) == len(texts) else None


def _plain_booleans(texts: Sequence[str]) -> list[bytes] | None:
    """Booleans in small letters with nothing around them; None if one of them is not."""
    try:
        return [_BOOLEANS[text] for text in texts]
    except KeyError:
        return None


def _literal_of_type(column: Column) -> Literal:
    usual = _usual_literal(column)
    respell = respeller(column)
    return usual if respell is None else lambda text: usual(respell(text))


def _usual_literal(column: Column) -> Literal:
    kind = column.type.python
    if kind is str or column.type.form in ("json", "jsonb"):
        return _encode
    if kind is bool:
        return _boolean
    if kind is datetime:
        return _timestamp
    if kind is float:
        return lambda text: b"-0.0" if text.strip() == "-0" else _number(text)
    if kind is int:
        return lambda text: _whole(_number(text, "-12"))
    if column.type.copy_type == "numeric":
        return _number
    return _quoted


def _quoted(text: str) -> bytes:
    return _encode(text.strip())


def _boolean(text: str) -> bytes:
    found = _BOOLEANS.get(text.strip().lower())
    if found is None:
        raise ValueError("write true or false")
    return found


def _timestamp(text: str) -> bytes:
    text = text.strip()
    return _encode(f"{text}:00" if _HOURS_ONLY.search(text) else text)


def _number(text: str, example: str = "-12.5") -> bytes:
    text = text.strip()
    if _JSON_NUMBER.fullmatch(text):
        return text.encode()
    found = _NUMBER.fullmatch(text)
    if found is None or not (found[2] or found[3] or "0" in text.lower().split("e")[0]):
        raise ValueError(f"write a number such as {example}")
    sign, whole, fraction, exponent = found.groups()
    number = f"{'-' if sign == '-' else ''}{whole or '0'}{'.' + fraction if fraction else ''}{'e' + exponent if exponent else ''}"
    return number.encode()


def _whole(number: bytes) -> bytes:
    """A JSON number without point and exponent, if it is a whole one; any other as it is, for the codec to reject."""
    found = _WHOLE.fullmatch(number)
    if found is None:
        return number
    sign, whole, fraction, exponent = found.groups(b"")
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).ljust(point, b"0")
    if digits[max(point, 0) :].strip(b"0"):
        return number
    return sign + (digits[: max(point, 0)].lstrip(b"0") or b"0")
