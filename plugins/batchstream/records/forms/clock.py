"""Times of day: microseconds since midnight, and seconds west of UTC."""

import re
import struct
from collections.abc import Callable

from batchstream.contract.model import Column
from batchstream.records.bounds import Bounds, bounds_of, require_within

_TIME = re.compile(r"(\d\d?):([0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)?", re.ASCII)
_ZONED = re.compile(rf"({_TIME.pattern}) ?(?:Z|([+-])(\d\d)(?::?([0-5]\d))?)", re.ASCII)
_DAY = 24 * 3600 * 1_000_000
MAX_OFFSET_HOURS = 15
SECOND_DIGITS = 6


def time(column: Column) -> Callable[[str], bytes]:
    """Of type ``time``: 09:30, 23:59:59.5, 24:00."""
    digits, bounds = _digits(column), _bounds(column)

    def judge(text: str) -> bytes:
        found = _TIME.fullmatch(text)
        value = _microseconds(found, digits, "write a time such as 23:59:59.5, without an offset")
        require_within(value, bounds)
        return struct.pack(">q", value)

    return judge


def time_with_zone(column: Column) -> Callable[[str], bytes]:
    """Of type ``timetz``: the same with an offset, such as +02:00 or Z."""
    digits = _digits(column)

    def judge(text: str) -> bytes:
        found = _ZONED.fullmatch(text)
        write = "write a time with an offset, such as 23:59:59+02:00"
        microseconds = _microseconds(found and _TIME.fullmatch(found[1]), digits, write)
        sign, hours, minutes = found.group(6, 7, 8) if found else (None, None, None)
        if int(hours or 0) > MAX_OFFSET_HOURS:
            raise ValueError(f"has an offset of more than {MAX_OFFSET_HOURS} hours and 59 minutes")
        east = (int(hours or 0) * 60 + int(minutes or 0)) * 60
        return struct.pack(">qi", microseconds, east if sign == "-" else -east)

    return judge


def _bounds(column: Column) -> Bounds:
    """Those of a column, in microseconds."""
    rules = column.rules.moments
    return bounds_of(
        *(rules.minimum, rules.maximum, rules.exclusive_minimum, rules.exclusive_maximum),
        compared_as=lambda limit: _microseconds(_TIME.fullmatch(str(limit)), SECOND_DIGITS, ""),
    )


def _digits(column: Column) -> int:
    return SECOND_DIGITS if column.type.second_digits is None else column.type.second_digits


def _microseconds(found: re.Match[str] | None, digits: int, write: str) -> int:
    if found is None:
        raise ValueError(f"is no time of day; {write}")
    hours, minutes, seconds, fraction = found.groups()
    if len((fraction or "").rstrip("0")) > digits:
        raise ValueError(f"has more than {digits} digits of a second, which would be rounded")
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)
    value = whole * 1_000_000 + int((fraction or "")[:SECOND_DIGITS].ljust(SECOND_DIGITS, "0"))
    if value > _DAY:
        raise ValueError("is after 24:00")
    return value
