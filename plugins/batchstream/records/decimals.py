"""Decides whether a decimal fits ``numeric(p,s)`` or ``numeric``, without rounding."""

import decimal
from decimal import Decimal

from batchstream.contract.model import Column
from batchstream.records.bounds import bounds_of, require_within

MAX_DIGITS_BEFORE, MAX_DIGITS_AFTER = 131_072, 16_383
"""Of PostgreSQL's numeric without precision and scale."""


def fits_numeric(value: Decimal) -> bool:
    """Whether PostgreSQL's numeric can hold a number."""
    if not value.is_finite():
        return False
    return value.adjusted() < MAX_DIGITS_BEFORE and -int(value.as_tuple().exponent) <= MAX_DIGITS_AFTER


class NumericFit:
    """The rule of one numeric column."""

    def __init__(self, column: Column) -> None:
        self._any = column.type.precision is None
        precision, scale = column.type.precision or 1, column.type.scale or 0
        self._quantum = Decimal(1).scaleb(-scale)
        self._context = decimal.Context(prec=precision, traps=[decimal.Inexact, decimal.InvalidOperation])
        self._misfit = f"does not fit {column.type.sql}: at most {precision - scale} digits before the point and {scale} after it"
        rules = column.rules
        limits = (rules.minimum, rules.maximum, rules.exclusive_minimum, rules.exclusive_maximum)
        self._bounds = bounds_of(*map(_exact, limits))

    def fit(self, value: Decimal) -> Decimal:
        """The same number with exactly the column's digits after the point, or with its own where the column has no scale.

        Raises:
            ValueError: It isn't finite, has too many digits, or is out of the column's bounds.
        """
        if not value.is_finite():
            raise ValueError("is not a finite number")
        try:
            fitted = _as_numeric(value) if self._any else value.quantize(self._quantum, context=self._context)
        except (decimal.Inexact, decimal.InvalidOperation) as error:
            raise ValueError(self._misfit) from error
        if self._bounds:
            require_within(fitted, self._bounds)
        return fitted


def _as_numeric(value: Decimal) -> Decimal:
    if not fits_numeric(value):
        raise ValueError(
            f"does not fit numeric: at most {MAX_DIGITS_BEFORE:,} digits before the point and {MAX_DIGITS_AFTER:,} after"
        )
    # Zeros before the point of a zero are no digits, but psycopg would send them.
    return value if value or int(value.as_tuple().exponent) <= 0 else Decimal(0)


def _exact(bound: float | None) -> Decimal | None:
    """A bound with the digits that the contract shows, which a float's binary value doesn't have."""
    return None if bound is None else Decimal(repr(bound))
