"""Bounds of a value that the decoder of messages doesn't compare."""

import operator
from collections.abc import Callable
from typing import Any

_BROKEN_BY = ((operator.lt, ">="), (operator.gt, "<="), (operator.le, ">"), (operator.ge, "<"))

Bounds = tuple[tuple[Callable[[Any, Any], bool], Any, str], ...]
"""How a value breaks each bound, the bound, and what is said then."""


def bounds_of(*limits: Any, compared_as: Callable[[Any], Any] = lambda limit: limit) -> Bounds:
    """The bounds that a column has.

    Args:
        limits: Minimum, maximum, exclusive minimum, exclusive maximum; None for each that it doesn't have.
        compared_as: What a value is compared with in the place of a limit, which is what messages say.
    """
    return tuple(
        (is_broken, compared_as(limit), f"must be {sign} {limit}")
        for (is_broken, sign), limit in zip(_BROKEN_BY, limits, strict=True)
        if limit is not None
    )


def require_within(value: Any, bounds: Bounds) -> None:
    """Compare a value with the bounds of its column.

    Raises:
        ValueError: It breaks one.
    """
    for is_broken, bound, said in bounds:
        if is_broken(value, bound):
            raise ValueError(said)
