"""Intervals: months, days and microseconds, which PostgreSQL keeps apart."""

import re
import struct
from collections.abc import Callable

from batchstream.contract.model import Column

_INT = r"([+-]?\d{1,9})"
_SECONDS = r"([+-]?)(\d{1,9})(?:\.(\d+))?"
# ISO 8601, such as P1Y2M10DT2H30M5.5S or P2W.
_ISO = re.compile(
    r"P(?=.)(?:#Y)?(?:#M)?(?:#W)?(?:#D)?(?:T(?=.)(?:#H)?(?:#M)?(?:(-?)(\d{1,9})(?:\.(\d+))?S)?)?".replace("#", r"(-?\d{1,9})"),
    re.ASCII,
)
# As PostgreSQL prints it, such as 1 year 2 mons -3 days 04:05:06.789, also with hours, minutes and seconds in words.
_WORDS = re.compile(
    rf"(?=.)(?:{_INT} years?)?(?: ?{_INT} (?:mons?|months?))?(?: ?{_INT} weeks?)?(?: ?{_INT} days?)?"
    rf"(?: ?{_INT} (?:hours?))?(?: ?{_INT} (?:minutes?|mins?))?(?: ?{_SECONDS} (?:seconds?|secs?))?",
    re.ASCII,
)
_CLOCK = re.compile(r"(?:(.*) )?([+-]?)(\d{1,9}):([0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)?", re.ASCII)
_MICRO = 1_000_000
_WRITE = "write such as P1Y2M3DT4H5M6.5S or 1 year 2 mons 3 days 04:05:06.5"


def judge(_: Column) -> Callable[[str], bytes]:
    """Of type ``interval``: in ISO 8601, or as PostgreSQL prints it."""
    return _bytes


def _bytes(text: str) -> bytes:
    microseconds = 0
    fields = _ISO.fullmatch(text)
    if fields is None and (clock := _CLOCK.fullmatch(text)):
        before, sign, hours, minutes, seconds, fraction = clock.groups()
        microseconds = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)) * _MICRO + _fraction(fraction)
        microseconds = -microseconds if sign == "-" else microseconds
        if before is None:
            return _packed(0, 0, microseconds)
        fields = _WORDS.fullmatch(before)
        if fields is not None and any(fields.group(5, 6, 8)):
            fields = None
    elif fields is None:
        fields = _WORDS.fullmatch(text)
    if fields is None:
        raise ValueError(f"is no interval; {_WRITE}")
    years, months, weeks, days, hour, minute = (int(field or 0) for field in fields.groups()[:6])
    sign, second, fraction = fields.groups()[6:]
    seconds_part = int(second or 0) * _MICRO + _fraction(fraction)
    microseconds += (hour * 60 + minute) * 60 * _MICRO + (-seconds_part if sign == "-" else seconds_part)
    return _packed(years * 12 + months, weeks * 7 + days, microseconds)


def _fraction(digits: str | None) -> int:
    digits = (digits or "").rstrip("0")
    if len(digits) > 6:
        raise ValueError("has more than 6 digits of a second, which would be rounded")
    return int(digits.ljust(6, "0"))


def _packed(months: int, days: int, microseconds: int) -> bytes:
    try:
        return struct.pack(">qii", microseconds, days, months)
    except struct.error as error:
        raise ValueError("is longer than PostgreSQL's interval can be") from error
