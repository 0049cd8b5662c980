"""Decides whether a date or a time lies within the bounds of its column."""

from collections.abc import Callable
from typing import Any

from batchstream.contract.model import Column, Moments
from batchstream.contract.moments import TIME
from batchstream.records.bounds import bounds_of, require_within


def moments_finisher(column: Column) -> Callable[[Any], Any] | None:
    """What gives a value back, or raises ValueError if it is out of bounds; None for a column without such bounds."""
    rules = column.rules.moments
    # A time is compared where its text is judged.
    if rules == Moments() or column.type.form == TIME:
        return None
    bounds = bounds_of(rules.minimum, rules.maximum, rules.exclusive_minimum, rules.exclusive_maximum)

    def finish(value: Any) -> Any:
        if value is None:
            return None
        require_within(value, bounds)
        return value

    return finish
