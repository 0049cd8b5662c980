"""What kind of value a field looks like, as closely as the reader of sources takes it."""

import re
from datetime import date, datetime

NULL_WORDS = frozenset(
    ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "\\N", "-", ".", "?", "#N/A", "missing")
)
"""What files write for a value that is missing; taken for it only among values of another kind."""

DATE_FORMATS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%b-%Y",
)
TIMESTAMP_FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
)

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,18})")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(_DATE.pattern + r"[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?")
_LIKE_A_DATE = re.compile(r"[0-9]{1,4}[/. -](?:[0-9]{1,2}|[A-Za-z]{3})[/. -][0-9]{2,4}|[A-Za-z]{3} [0-9]{1,2}, [0-9]{4}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BOOLEANS = frozenset(("true", "false", "t", "f", "yes", "no", "y", "n"))
_MAX_EXACT_DIGITS = 15


def kind_of(text: str) -> str:
    """What a field looks like.

    Returns:
        One of integer, float, digits (more than a double holds), zeros (digits with zeros before them), comma, thousands, date,
        timestamp, timestamptz, formatted (a date or timestamp that isn't written by ISO 8601), boolean, uuid, text.
    """
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return "integer" if -(2**63) <= int(text) < 2**63 else "digits"
    if _LEADING_ZERO.fullmatch(text):
        return "zeros"
    if _FLOAT.fullmatch(text):
        return "float" if _is_exact(text) else "digits"
    if _COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text):
        return "comma"
    if _THOUSANDS.fullmatch(text):
        return "thousands"
    if text.lower() in _BOOLEANS:
        return "boolean"
    if _UUID.fullmatch(text):
        return "uuid"
    return _moment(text)


def _is_exact(text: str) -> bool:
    digits = re.sub(r"[eE].*|[^0-9]", "", text).strip("0")
    return len(digits) <= _MAX_EXACT_DIGITS and abs(float(text)) not in (float("inf"),)


def _moment(text: str) -> str:
    try:
        if _DATE.fullmatch(text):
            return "date" if date.fromisoformat(text) else "text"
        if found := _TIMESTAMP.fullmatch(text):
            return "timestamptz" if datetime.fromisoformat(text) and found[1] else "timestamp"
    except ValueError:
        return "text"
    return "formatted" if formats_of(text, DATE_FORMATS) or formats_of(text, TIMESTAMP_FORMATS) else "text"


def formats_of(text: str, formats: tuple[str, ...]) -> tuple[str, ...]:
    """Those formats in which a text can be read."""
    found: list[str] = []
    # To try each is slow, and most texts are none.
    if not _LIKE_A_DATE.match(text) or len(text) > 25:
        return ()
    for written in formats:
        try:
            datetime.strptime(text, written)
        except ValueError:
            continue
        found.append(written)
    return tuple(found)
