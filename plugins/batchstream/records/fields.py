"""What a value of each column may be: as types that msgspec checks while it decodes, and what is left to look at after that."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import msgspec

from batchstream.contract.column_types import Written
from batchstream.contract.model import Column, Rules
from batchstream.contract.patterns import pattern_of
from batchstream.records.decimals import NumericFit
from batchstream.records.forms import judge_of
from batchstream.records.forms.array import ArrayJudge
from batchstream.records.literals import literal
from batchstream.records.moments import moments_finisher

# More digits than PostgreSQL's microseconds; msgspec would round them.
_NANOSECONDS = re.compile(rb":\d\d\.\d{7}")
_NOT_ZERO = re.compile(rb"-?[0.]*[1-9]")

NEAREST_TO_ZERO = {"float4": 2.0**-150, "float8": 0.0}
"""What is no farther from zero than that would be stored as zero."""

_EXAMPLES = {
    "date": "write 2026-01-31",
    "timestamp": "write 2026-01-31 23:59:59, without an offset",
    "timestamptz": "write 2026-01-31 23:59:59+00:00, with an offset",
    "uuid": "write 07b22ec3-3a92-46f6-80c9-c1dfa6176fe5",
}
# How a value is written, as the decoder's own words name a standard only.

EDGE_YEARS = (b'"0001-01-01', b'"9999-12-31')
"""Days on which an offset may lead out of the years that Python can read back from PostgreSQL."""

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation)
"""What msgspec raises for a value that is none of the wanted type, and Decimal for an exponent that no Decimal has."""


def field_type(column: Column) -> Any:
    """The type of a column's values, NULL included if the column is nullable."""
    if column.type.python is Written or column.type.form == "character":
        base: Any = str
    elif column.rules.allowed:
        base = Literal[column.rules.allowed]
    else:
        constraints = _constraints(column)
        base = Annotated[column.type.python, msgspec.Meta(**constraints)] if constraints else column.type.python
    return base | None if column.nullable else base


def batch_type(column: Column) -> Any:
    """The type of a column's values when a batch is decoded; values of numeric columns are left to `number_finisher`."""
    return Any if column.type.copy_type == "numeric" else field_type(column)


def batch_finisher(column: Column) -> Callable[[Any], Any] | None:
    """What makes the value to store from one that a batch was decoded with, or raises ValueError; None if it is the same."""
    if column.type.copy_type == "numeric":
        return number_finisher(column)
    finish = finisher(column) if column.type.form or column.type.second_digits is not None else None
    return finish and (lambda value: None if value is None else finish(value))


def number_finisher(column: Column) -> Callable[[Any], Any]:
    """What makes the value of a numeric column from an int or Decimal of any JSON value, or raises ValueError."""
    fit, nullable = NumericFit(column).fit, column.nullable

    def finish(value: Any) -> Decimal | None:
        kind = type(value)
        if kind is Decimal:
            return fit(value)
        if kind is int:
            return fit(Decimal(value))
        if value is None and nullable:
            return None
        raise ValueError("is not a number")

    return finish


class Field:
    """Decodes one value of a column; the slow, talkative twin of decoding a whole batch."""

    def __init__(self, column: Column, *, is_key: bool = False) -> None:
        self._column = column
        self._is_text_key = is_key and column.type.python is str
        self._example = _EXAMPLES.get(column.type.copy_type)
        self._decoder = msgspec.json.Decoder(field_type(column))
        self._finish = finisher(column)
        self._has_form = column.type.form is not None
        self._within = moments_finisher(column)
        self._pattern = column.rules.pattern and pattern_of(column.rules.pattern)
        self._timestamp = column.type.python is datetime
        self._decimal = column.type.copy_type == "numeric"
        self._nearest = NEAREST_TO_ZERO.get(column.type.copy_type)

    def decode(self, text: bytes) -> Any:
        """The value of a JSON text.

        Raises:
            ValueError: It breaks the column's type or rules; the message goes on after the value.
        """
        if self._timestamp and (_NANOSECONDS.search(text) or b"\\" in text):
            raise ValueError(f"is not {self._column.type.sql} with at most 6 digits of a second; {self._example}")
        if self._decimal and text.startswith(b'"'):
            raise ValueError(f"is a text, not {self._column.type.sql}")
        try:
            value = self._decoder.decode(text)
        except DECODE_ERRORS as error:
            not_null = "" if self._column.nullable else " NOT NULL"
            raise ValueError(f"is not {self._column.type.sql}{not_null} ({self._example or error})") from error
        if self._has_form and value is not None and self._finish is not None:
            value = self._finish(value)
        if self._nearest is not None and value is not None and abs(value) <= self._nearest and _NOT_ZERO.match(text):
            raise ValueError(f"is not {self._column.type.sql}: it is not zero, but too small for that type")
        if self._pattern and value is not None and not self._pattern.matches(value):
            raise ValueError(f"does not match the pattern {self._column.rules.pattern}")
        if self._is_text_key and not value.strip():
            raise ValueError("is blank, which no primary key may be")
        value = value if self._has_form or self._finish is None or value is None else self._finish(value)
        return value if self._within is None else self._within(value)


def finisher(column: Column) -> Callable[[Any], Any] | None:
    """What msgspec can't see in a value of this column: gives the value to store, or raises ValueError."""
    if column.type.copy_type == "numeric":
        return NumericFit(column).fit
    if column.type.element is not None:
        return _array_judge(column)
    if column.type.form:
        return judge_of(column)
    if column.type.second_digits is not None:
        return _few_digits(column)
    if column.type.python is str:
        return _without_nul
    if column.type.has_zone:
        return within_years
    return None


def _array_judge(column: Column) -> ArrayJudge:
    """Judges elements as the values of a column of their type."""
    element = replace(column, type=column.type.element or column.type, nullable=True, rules=Rules())
    to_json, decode = literal(element, ()), Field(element).decode
    return ArrayJudge(element.type, lambda text: decode(to_json(text)))


def _few_digits(column: Column) -> Callable[[datetime], datetime]:
    """For a timestamp with fewer digits of a second than PostgreSQL keeps: it would round others."""
    digits = column.type.second_digits or 0
    step = 10 ** (6 - digits)

    def finish(value: datetime) -> datetime:
        if value.microsecond % step:
            raise ValueError(f"has more than {digits} digits of a second, which would be rounded")
        if column.type.has_zone:
            within_years(value)
        return value

    return finish


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds U+0000, which PostgreSQL's text can't store")
    return value


def within_years(value: datetime | None) -> datetime | None:
    """The same time, if PostgreSQL and Python can have it in UTC.

    Raises:
        ValueError: Its offset leads out of the calendar.
    """
    try:
        if value is not None:
            value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is not in the years 1 to 9999 of UTC") from error
    return value


def _constraints(column: Column) -> dict[str, Any]:
    rules, kind = column.rules, column.type
    if kind.python is str:
        lengths = [length for length in (rules.max_length, kind.max_length) if length is not None]
        found = {
            "min_length": rules.min_length,
            "max_length": min(lengths, default=None),
        }
    elif kind.python in (int, float):
        found = _bounds(column)
    elif kind.python is datetime:
        found = {"tz": kind.has_zone}
    else:
        found = {}
    return {name: value for name, value in found.items() if value is not None}


def _bounds(column: Column) -> dict[str, Any]:
    """The tighter of the type's and the rules' bounds; msgspec takes one lower and one upper bound."""
    rules, kind = column.rules, column.type
    lower = max((bound for bound in (rules.minimum, kind.minimum) if bound is not None), default=None)
    upper = min((bound for bound in (rules.maximum, kind.maximum) if bound is not None), default=None)
    found: dict[str, Any] = {}
    if rules.exclusive_minimum is not None and (lower is None or rules.exclusive_minimum >= lower):
        found["gt"] = rules.exclusive_minimum
    elif lower is not None:
        found["ge"] = lower
    if rules.exclusive_maximum is not None and (upper is None or rules.exclusive_maximum <= upper):
        found["lt"] = rules.exclusive_maximum
    elif upper is not None:
        found["le"] = upper
    return found
