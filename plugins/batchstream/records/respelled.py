"""Turns a value as its source spells it into the spelling that every source may use."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from batchstream.contract.model import Column

Respell = Callable[[str], str]

_PLAIN_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?")


def respeller(column: Column) -> Respell | None:
    """What turns a field of a column into the usual spelling, or raises ValueError; None where there is nothing to be done."""
    spelling, kind = column.spelling, column.type.python
    if kind in (int, float, Decimal) and (spelling.decimal != "." or spelling.thousands):
        return _numbers(spelling.decimal, spelling.thousands)
    if kind is bool and spelling.true:
        return _booleans(spelling.true, spelling.false)
    if kind is date and spelling.date_format:
        return _dates(spelling.date_format)
    if column.type.form in ("time", "timetz") and spelling.time_format:
        return _times(spelling.time_format)
    if kind is datetime:
        return _timestamps(spelling.timestamp_format, spelling.time_zone if column.type.has_zone else None)
    return None


def _numbers(decimal: str, thousands: str) -> Respell:
    whole = rf"\d+|\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+" if thousands else r"\d+"
    number = re.compile(rf"([+-]?)({whole}|)(?:{re.escape(decimal)}(\d*))?((?:[eE][+-]?\d+)?)")
    example = f"write a number such as -1{thousands}234{decimal}5"

    def respell(text: str) -> str:
        found = number.fullmatch(text.strip())
        if found is None:
            raise ValueError(example)
        sign, digits, fraction, exponent = found.groups()
        if thousands:
            digits = digits.replace(thousands, "")
        return f"{sign}{digits}{'' if fraction is None else '.' + fraction}{exponent}"

    return respell


def _booleans(true: tuple[str, ...], false: tuple[str, ...]) -> Respell:
    words = dict.fromkeys(true, "true") | dict.fromkeys(false, "false")

    def respell(text: str) -> str:
        found = words.get(text.strip().lower())
        if found is None:
            raise ValueError(f"write {true[0]} or {false[0]}")
        return found

    return respell


def _dates(written: str) -> Respell:
    return lambda text: _parsed(text, written).date().isoformat()


def _times(written: str) -> Respell:
    return lambda text: _parsed(text, written).timetz().isoformat()


def _timestamps(written: str | None, zone_name: str | None) -> Respell | None:
    if written is None and zone_name is None:
        return None
    zone = zone_name and ZoneInfo(zone_name)

    def respell(text: str) -> str:
        text = text.strip()
        if written is not None:
            value = _parsed(text, written)
        elif _PLAIN_TIMESTAMP.fullmatch(text):
            value = datetime.fromisoformat(text)
        else:
            return text
        if zone and value.tzinfo is None:
            value = _in_zone(value, zone)
        return value.isoformat(" ")

    return respell


def _parsed(text: str, written: str) -> datetime:
    try:
        return datetime.strptime(text.strip(), written)
    except ValueError as error:
        raise ValueError(f"write it as {written}, such as {datetime(2026, 1, 31, 23, 59).strftime(written)}") from error


def _in_zone(value: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a clock's time; refused where clocks were turned and it never came, or came twice."""
    first, second = value.replace(tzinfo=zone, fold=0), value.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        came = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == value
        how = "came twice" if came else "never came"
        raise ValueError(f"it {how} in {zone.key}, where clocks were turned; write it with an offset")
    return first
