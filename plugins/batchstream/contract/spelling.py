"""How the values of a source are spelled: what is NULL, how numbers, dates and booleans are written.

The settings stand among the ``customProperties`` of a contract, and among those of a column, which go before.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

SPELLING_SETTINGS: dict[str, type | tuple[type, ...]] = {
    "sourceNull": (str, list),
    "sourceTrim": bool,
    "sourceDecimal": str,
    "sourceThousands": str,
    "sourceDateFormat": str,
    "sourceTimestampFormat": str,
    "sourceTimeFormat": str,
    "sourceTimeZone": str,
    "sourceTrue": (str, list),
    "sourceFalse": (str, list),
}
"""Name → type of its value."""

MAX_WORDS = 100
_DECIMALS = (".", ",")
_EXAMPLES = {
    "sourceDateFormat": "%d/%m/%Y",
    "sourceTimestampFormat": "%d.%m.%Y %H:%M:%S",
    "sourceTimeFormat": "%H.%M",
}
# Those of Python's strptime that mean the same on every machine.
_DIRECTIVES = re.compile(r"%[%YymdHIMSfpbBjz]")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the values of a column are spelled.

    Attributes:
        nulls: The fields that stand for NULL.
        trimmed: Whether blanks around a text are none of it; around any other value they never are.
        decimal: The decimal mark.
        thousands: Between groups of three digits; empty if there is none.
        date_format: Of dates, as ``strptime`` has it; None for ISO 8601.
        timestamp_format: The same for timestamps.
        time_format: The same for times of day.
        time_zone: Of timestamps without an offset, in a column that needs one; None if they are refused.
        true: Words for true, in small letters; empty for those of PostgreSQL.
        false: The same for false.
    """

    nulls: tuple[str, ...] = ("",)
    trimmed: bool = False
    decimal: str = "."
    thousands: str = ""
    date_format: str | None = None
    timestamp_format: str | None = None
    time_format: str | None = None
    time_zone: str | None = None
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()


USUAL = Spelling()
"""That of a source whose contract says nothing of it."""


def read_spelling(given: Mapping[str, Any], general: Spelling) -> Spelling:
    """The spelling that some settings make of a more general one.

    Raises:
        ValueError: A value has no meaning: setting, value, what to write.
    """
    readers: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
        "sourceNull": ("nulls", _words),
        "sourceTrim": ("trimmed", _as_it_is),
        "sourceDecimal": ("decimal", _as_it_is),
        "sourceThousands": ("thousands", _as_it_is),
        "sourceDateFormat": ("date_format", _format),
        "sourceTimestampFormat": ("timestamp_format", _format),
        "sourceTimeFormat": ("time_format", _format),
        "sourceTimeZone": ("time_zone", _time_zone),
        "sourceTrue": ("true", _small_words),
        "sourceFalse": ("false", _small_words),
    }
    found = {field: read(setting, given[setting]) for setting, (field, read) in readers.items() if setting in given}
    spelling = replace(general, **found)
    _require_marks(spelling)
    true, false = spelling.true, spelling.false
    if bool(true) != bool(false) or set(true) & set(false):
        raise ValueError(f"sourceTrue, sourceFalse: got {list(true)} and {list(false)}; write words for both, or for none")
    return spelling


def _require_marks(spelling: Spelling) -> None:
    decimal, thousands = spelling.decimal, spelling.thousands
    if decimal not in _DECIMALS:
        raise ValueError(f"sourceDecimal: got {decimal!r}; write '.' or ','")
    if len(thousands) > 1 or thousands.isalnum() or thousands in tuple("+-\r\n\0") or thousands == decimal:
        raise ValueError(f"sourceThousands: got {thousands!r}; write one character that is not sourceDecimal, such as ',' or ' '")


def _words(setting: str, value: str | list[Any]) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value
    if not 1 <= len(words) <= MAX_WORDS or not all(isinstance(word, str) and not {"\r", "\n"} & set(word) for word in words):
        raise ValueError(f"{setting}: got {value!r}; write a text, or a list of 1 to {MAX_WORDS} texts of one line")
    return tuple(dict.fromkeys(words))


def _small_words(setting: str, value: str | list[Any]) -> tuple[str, ...]:
    return tuple(word.lower() for word in _words(setting, value))


def _as_it_is(setting: str, value: Any) -> Any:
    return value


def _format(setting: str, value: str) -> str:
    rest = _DIRECTIVES.sub("", value)
    try:
        if "%" in rest or rest == value:
            raise ValueError
        datetime.strptime(datetime(2026, 12, 31, 23, 59).strftime(value), value)
    except (ValueError, re.error) as error:
        raise ValueError(f"{setting}: got {value!r}; write a format of strptime, such as '{_EXAMPLES[setting]}'") from error
    return value


def _time_zone(setting: str, name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(f"{setting}: got {name!r}; write the name of a time zone, such as Europe/Berlin") from error
    return name
