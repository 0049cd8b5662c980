"""Bounds of dates and times: read as the column has its values, so that they can be compared."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from batchstream.contract.types import ColumnType

TIME = "time"
"""The form of a time without an offset."""

_EXAMPLES = {date: "2026-01-31", datetime: "2026-01-31 23:59:59", time: "23:59:59"}

UTC = "Etc/UTC"
"""The standard's default for a time without an offset."""


def zone_of(name: Any) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        ValueError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError, AttributeError) as error:
        raise ValueError(f"defaultTimezone: got {name!r}; write such as {UTC} or Europe/Berlin") from error


def has_moments(column_type: ColumnType) -> bool:
    """Whether the bounds of a column are read by `read_moment`."""
    return column_type.python in (date, datetime) or column_type.form == TIME


def read_moment(value: Any, column_type: ColumnType, zone: ZoneInfo) -> date | time:
    """A bound of a date, a timestamp or a time without an offset.

    Args:
        value: As the contract has it.
        column_type: Of the column.
        zone: Where a bound without an offset is meant, if the column has offsets.

    Raises:
        ValueError: It is none.
    """
    kind: Any = time if column_type.form == TIME else column_type.python
    write = f"write such as '{_EXAMPLES[kind]}'"
    try:
        found: date | time = kind.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"got {value!r}; {write}, which fits {column_type.sql}") from error
    if not isinstance(found, datetime | time):
        return found
    if not column_type.has_zone and found.tzinfo:
        raise ValueError(f"got {value!r}, and the column has no offsets; {write}")
    return found.replace(tzinfo=zone) if column_type.has_zone and found.tzinfo is None else found
