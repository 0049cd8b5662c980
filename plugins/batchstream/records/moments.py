"""Decides whether a date or a time lies within the bounds of its column."""

from collections.abc import Callable
from typing import Any

from batchstream.contract.model import Column, Moments
from batchstream.contract.moments import TIME


def moments_finisher(column: Column) -> Callable[[Any], Any] | None:
    """What gives a value back, or raises ValueError if it is out of bounds; None for a column without such bounds."""
    bounds = column.rules.moments
    # A time is compared where its text is judged.
    if bounds == Moments() or column.type.form == TIME:
        return None

    def finish(value: Any) -> Any:
        if value is None:
            return None
        if bounds.minimum is not None and value < bounds.minimum:
            raise ValueError(f"must be >= {bounds.minimum}")
        if bounds.maximum is not None and value > bounds.maximum:
            raise ValueError(f"must be <= {bounds.maximum}")
        if bounds.exclusive_minimum is not None and value <= bounds.exclusive_minimum:
            raise ValueError(f"must be > {bounds.exclusive_minimum}")
        if bounds.exclusive_maximum is not None and value >= bounds.exclusive_maximum:
            raise ValueError(f"must be < {bounds.exclusive_maximum}")
        return value

    return finish
