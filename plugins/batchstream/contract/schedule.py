"""When a dataset is reloaded: a preset of Airflow's, or a cron expression of five fields, in UTC."""

import re
from datetime import UTC, datetime

# Airflow's presets → cron expression; @once and @continuous have no times of their own.
_PRESETS = {
    "@once": None,
    "@continuous": None,
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_MAX_LENGTH = 200

_MONTH = r"(?:\d{1,2}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_WEEKDAY = r"(?:[0-7]|sun|mon|tue|wed|thu|fri|sat)"
# What each field may be made of; croniter takes more, of which each version of cron means something else, or nothing.
_UNITS = (r"\d{1,2}", r"\d{1,2}", r"(?:\d{1,2}|l)", _MONTH, _WEEKDAY)
_SIZES = (60, 24, 31, 12, 7)
_STEP = re.compile(r"/(\d+)")
_UPSIDE_DOWN = re.compile(r"\b(\d+)-(\d+)\b")


def read_schedule(text: str | None) -> str | None:
    """The schedule, as Airflow takes it.

    Raises:
        ValueError: It is no preset and no cron expression of five fields, or it never comes.
    """
    if text is None or text in _PRESETS:
        return text
    fields = text.lower().split()
    if text.startswith("@") or len(text) > _MAX_LENGTH:
        raise ValueError(f"got {text!r}; write @daily, a cron expression such as '0 6 * * *', or null")
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"got {text!r}, which has {len(fields)} fields; write five, {', '.join(_FIELDS)}, such as '0 6 * * *', or null; "
            "there is none for seconds"
        )
    for name, field, unit, size in zip(_FIELDS, fields, _UNITS, _SIZES, strict=True):
        part = rf"(?:\*|{unit}(?:-{unit})?)(?:/\d{{1,2}})?"
        upside_down = any(int(low) >= int(high) for low, high in _UPSIDE_DOWN.findall(field))
        if not re.fullmatch(rf"{part}(?:,{part})*", field) or upside_down:
            raise ValueError(f"got {text!r}, whose {name} is {field!r}; write such as '*', '5', '1-5', '1,15' or '*/2'")
        if any(int(step) >= size for step in _STEP.findall(field)):
            # Each field begins anew: */90 is each full hour, and not every 90 minutes.
            raise ValueError(f"got {text!r}, whose {name} is {field!r}; write a step that is less than {size}, such as '*/2'")
    expression = " ".join(fields)
    _require_times(text, expression)
    return expression


def next_times(schedule: str | None, count: int, after: datetime | None = None) -> list[datetime]:
    """The next times of a schedule, in UTC; none of one that has no times of its own: null, @once and @continuous.

    Args:
        schedule: As `read_schedule` returns it.
        count: How many.
        after: Those after this moment, which is now by default.
    """
    expression = _PRESETS.get(schedule, schedule) if schedule else None
    if expression is None:
        return []
    # Only here: most contracts have a preset, and DAG files are parsed often.
    from croniter import croniter  # type: ignore[import-untyped]

    times = croniter(expression, after or datetime.now(UTC))
    return [times.get_next(datetime) for _ in range(count)]


def _require_times(text: str, expression: str) -> None:
    from croniter import CroniterBadCronError, CroniterBadDateError

    try:
        next_times(expression, 1)
    except CroniterBadDateError as error:
        raise ValueError(f"got {text!r}, a day that never comes; write one that does, or null") from error
    except CroniterBadCronError as error:
        raise ValueError(f"got {text!r}: {error}; write a cron expression such as '0 6 * * *', or null") from error
