"""What a value of each column may be, as types that msgspec checks while it decodes."""

import operator
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from batchstream.contract.model import Column


def field_type(column: Column) -> Any:
    """The type of a column's values, NULL included if the column is nullable."""
    if column.rules.allowed:
        base: Any = Literal[column.rules.allowed]
    else:
        constraints = _constraints(column)
        base = Annotated[column.type.python, msgspec.Meta(**constraints)] if constraints else column.type.python
    return base | None if column.nullable else base


def _constraints(column: Column) -> dict[str, Any]:
    rules, kind = column.rules, column.type
    if kind.python is str:
        lengths = [length for length in (rules.max_length, kind.max_length) if length is not None]
        found = {"min_length": rules.min_length, "max_length": min(lengths, default=None), "pattern": rules.pattern}
    elif kind.python in (int, float):
        found = _bounds(column)
    elif kind.copy_type in ("timestamp", "timestamptz"):
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


def value_fault(column: Column, value: Any) -> str | None:
    """What the column's type forbids and msgspec can't see; None if there is nothing."""
    if isinstance(value, str):
        return "holds U+0000, which PostgreSQL's text can't store" if "\0" in value else None
    if isinstance(value, Decimal):
        return _decimal_fault(column, value)
    return None


def _decimal_fault(column: Column, value: Decimal) -> str | None:
    if not value.is_finite():
        return "is not a finite number"
    _, digits, exponent = value.as_tuple()
    scale, precision = column.type.scale or 0, column.type.precision or 0
    places = -int(exponent)
    if places > scale and any(digits[scale - places :]):
        return f"has more than {scale} digits after the point"
    if value and len(digits) - places > precision - scale:
        return f"has more than {precision - scale} digits before the point"
    rules = column.rules
    for bound, keeps, said in (
        (rules.minimum, operator.ge, ">="),
        (rules.maximum, operator.le, "<="),
        (rules.exclusive_minimum, operator.gt, ">"),
        (rules.exclusive_maximum, operator.lt, "<"),
    ):
        if bound is not None and not keeps(value, Decimal(repr(bound))):
            return f"must be {said} {bound}"
    return None
