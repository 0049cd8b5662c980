"""What each value of a column has to keep: ``logicalTypeOptions`` and ``enum`` of the standard."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from open_data_contract_standard.model import SchemaProperty

from batchstream.contract.given import Types, worded
from batchstream.contract.mistake import Place
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Moments, Rules
from batchstream.contract.moments import UTC, has_moments, read_moment, zone_of
from batchstream.contract.options import INTEGER_RANGES, told_of
from batchstream.contract.patterns import pattern_of
from batchstream.contract.quality import MAX_BOUND
from batchstream.contract.types import MAX_VARCHAR_LENGTH, ColumnType

_BOUNDED = ("int", "float", "Decimal", "date", "datetime")

# Option of the standard → field of Rules, the Python types of columns it is for, and the type of its value.
_RULES: dict[str, tuple[str, tuple[str, ...], Types]] = {
    "minimum": ("minimum", _BOUNDED, (int, float)),
    "maximum": ("maximum", _BOUNDED, (int, float)),
    "exclusiveMinimum": ("exclusive_minimum", _BOUNDED, (int, float)),
    "exclusiveMaximum": ("exclusive_maximum", _BOUNDED, (int, float)),
    "minLength": ("min_length", ("str",), int),
    "maxLength": ("max_length", ("str",), int),
    "pattern": ("pattern", ("str",), str),
}


def read_rules(prop: SchemaProperty, column_type: ColumnType, mistakes: Mistakes, place: Place, field: str) -> Rules:
    """What each value of a column has to keep.

    Args:
        prop: The column.
        column_type: Its type.
        mistakes: Takes each option that is unknown, not for columns of this type, or has a value without a meaning.
        place: Of the column in the document.
        field: What messages call it.
    """
    options = prop.logicalTypeOptions or {}
    where: Place = (*place, "logicalTypeOptions")
    said = f"{field}: logicalTypeOptions"
    rules: dict[str, Any] = {}
    for option, value in options.items():
        with mistakes.at(*where, option, field=said):
            if option in _RULES:
                rules[_RULES[option][0]] = _value(option, value, options, column_type)
            elif told := told_of(option, value, prop, column_type):
                mistakes.tell((*where, option), f"{said}: {told}")
    _add_range(rules, str(options.get("format")), column_type)
    with mistakes.at(*where, field=said):
        _require_some_value(rules, column_type)
    allowed = mistakes.read(lambda: _allowed(prop, column_type, rules), *place, "enum", field=field)
    if has_moments(column_type):
        return Rules(moments=Moments(**rules), allowed=allowed or ())
    return Rules(**rules, allowed=allowed or ())


def _value(option: str, value: Any, options: dict[str, Any], column_type: ColumnType) -> Any:
    _, python_types, value_types = _RULES[option]
    is_bound_of_time = python_types is _BOUNDED and has_moments(column_type)
    if column_type.python.__name__ not in python_types and not is_bound_of_time:
        raise ValueError(f"{option} is not supported for {column_type.sql}; remove it")
    if has_moments(column_type):
        zone = zone_of(options.get("defaultTimezone", UTC))
        try:
            return read_moment(value, column_type, zone)
        except ValueError as error:
            raise ValueError(f"{option}: {error}") from error
    if column_type.python is int:
        value_types = int
        # Tools that write contracts give each number a point.
        value = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(value, bool) or not isinstance(value, value_types) or not _in_range(option, value, column_type):
        raise ValueError(f"{option}: got {value!r}; write a {worded(value_types)} that fits {column_type.sql}")
    if option == "pattern":
        _require_pattern(str(value))
    return value


def _add_range(rules: dict[str, Any], integer_format: str, column_type: ColumnType) -> None:
    """The range of a format such as ``u8``, where the type itself has a wider one."""
    if integer_format not in INTEGER_RANGES or column_type.python not in (int, Decimal):
        return
    low, high = INTEGER_RANGES[integer_format]
    if column_type.minimum is None or low > column_type.minimum:
        rules["minimum"] = max(rules.get("minimum", low), low)
    if column_type.maximum is None or high < column_type.maximum:
        rules["maximum"] = min(rules.get("maximum", high), high)


def _require_pattern(pattern: str) -> None:
    try:
        pattern_of(pattern)
    except ValueError as error:
        raise ValueError(
            f"pattern: got {pattern!r}: {error}; write a regular expression in the syntax of RE2, "
            "https://github.com/google/re2/wiki/Syntax"
        ) from error


def _require_some_value(rules: dict[str, Any], column_type: ColumnType) -> None:
    """Refuse bounds between which no value lies."""
    step: Any = {int: 1, date: timedelta(days=1)}.get(column_type.python)
    at_least = [rules.get("minimum"), column_type.minimum, rules.get("min_length")]
    at_most = [rules.get("maximum"), column_type.maximum, rules.get("max_length"), column_type.max_length]
    above, below = rules.get("exclusive_minimum"), rules.get("exclusive_maximum")
    lows = [low for low in at_least if low is not None] + ([above + step if step else above] if above is not None else [])
    highs = [high for high in at_most if high is not None] + ([below - step if step else below] if below is not None else [])
    if lows and highs:
        low, high = max(lows), min(highs)
        if low > high or (not step and low == high and (low == above or high == below)):
            raise ValueError(f"no value lies between {low} and {high}; mend one of them")


def _allowed(prop: SchemaProperty, column_type: ColumnType, rules: dict[str, Any]) -> tuple[str | int, ...]:
    allowed: tuple[Any, ...] = tuple(one.value for one in prop.enum or [])
    if allowed and column_type.python not in (str, int):
        raise ValueError(f"enum: is not supported for {column_type.sql}; remove it")
    for value in allowed:
        if type(value) is not column_type.python or not _in_range("enum", value, column_type):
            raise ValueError(f"enum: got {value!r}; write a {worded(column_type.python)} that fits {column_type.sql}")
    if (allowed or column_type.labels) and rules:
        raise ValueError("enum: can't be combined with logicalTypeOptions; keep one of them")
    if column_type.labels and (others := [value for value in allowed if value not in column_type.labels]):
        raise ValueError(
            f"enum: got {others[0]!r}, which is none of {column_type.sql}; write one of {', '.join(column_type.labels)}"
        )
    return allowed or column_type.labels


def _in_range(option: str, value: Any, column_type: ColumnType) -> bool:
    """Whether a bound, a length or an allowed value makes sense for a column's type."""
    if option == "pattern":
        return True
    if isinstance(value, str):
        return column_type.max_length is None or len(value) <= column_type.max_length
    if column_type.python is str:
        return bool(0 <= value <= MAX_VARCHAR_LENGTH)
    low, high = column_type.minimum, column_type.maximum
    return -MAX_BOUND < value < MAX_BOUND and (low is None or value >= low) and (high is None or value <= high)
