"""Bounds of dates and times: read as the column has its values, so that they can be compared."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from batchstream.contract.types import ColumnType

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


def read_moment(value: Any, column_type: ColumnType, zone: ZoneInfo) -> date:
    """A bound of a date or a timestamp.

    Args:
        value: As the contract has it.
        column_type: Of the column.
        zone: Where a bound without an offset is meant, if the column has offsets.

    Raises:
        ValueError: It is none.
    """
    write = "write such as '2026-01-31'" if column_type.python is date else "write such as '2026-01-31 23:59:59'"
    try:
        found: date = column_type.python.fromisoformat(value)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ValueError(f"got {value!r}; {write}, which fits {column_type.sql}") from error
    if not isinstance(found, datetime):
        return found
    if not column_type.has_zone and found.tzinfo:
        raise ValueError(f"got {value!r}, and the column has no offsets; {write}")
    return found.replace(tzinfo=zone) if column_type.has_zone and found.tzinfo is None else found
