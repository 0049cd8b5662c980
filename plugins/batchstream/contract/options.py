"""The options of a logical type that are no rule of a value: those that choose a type, and those without effect here."""

from typing import Any

from open_data_contract_standard.model import SchemaProperty

from batchstream.contract.moments import TIME, zone_of
from batchstream.contract.types import ColumnType

# Format of an integer → its smallest and its largest value.
INTEGER_RANGES = {
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64, 128)},
}
FLOAT_FORMATS = {"f32": "real", "f64": "double precision"}

# Options of lists, objects and vectors: a column of text or JSON takes any.
OF_PARTS = (
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required"),
    *("dimensions", "elementType", "distanceMetric", "embeddingModel", "embeddingModelVersion", "normalized"),
)

MOMENTS = ("date", "datetime", "time")
ISO_FORMATS = ("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss", "HH:mm:ss")


def told_of(option: str, value: Any, prop: SchemaProperty, column_type: ColumnType) -> str | None:
    """What is told of an option that has no effect; None if it has.

    Raises:
        ValueError: It is unknown, or contradicts the column.
    """
    if option == "format":
        return _told_of_format(value, prop, column_type)
    if option == "timezone" and value is False and column_type.form == TIME:
        return None
    if option in ("timezone", "defaultTimezone") and column_type.python.__name__ not in ("datetime", "time"):
        raise ValueError(f"{option} is not supported for {column_type.sql}; remove it")
    if option == "timezone":
        if value is False and column_type.has_zone:
            raise ValueError(f"timezone: got False, but the column is {column_type.sql}; write true, or physicalType: timestamp")
        return None
    if option == "defaultTimezone":
        zone_of(value)
        return "defaultTimezone: is that of bounds; a value needs an offset of its own if the column has a time zone"
    if option == "multipleOf":
        raise ValueError("multipleOf is not supported; write a rule of type sql under quality")
    if option in OF_PARTS and column_type.python not in (int, float):
        return f"{option}: what is in the value is not looked at"
    raise ValueError(f"{option} is not supported; use one of {', '.join(SUPPORTED_OPTIONS)}")


def _told_of_format(value: Any, prop: SchemaProperty, column_type: ColumnType) -> str | None:
    if value in INTEGER_RANGES and column_type.logical[:1] in (("integer",), ("number",)) and not column_type.scale:
        done = column_type.python is not float
    elif value in FLOAT_FORMATS:
        done = column_type.sql == FLOAT_FORMATS[value]
    elif column_type.python.__name__ in MOMENTS or column_type.form == TIME:
        done = value in ISO_FORMATS
        if not done:
            return f"format: {value}: dates and times are read as docs/contracts.md says, whatever the format is"
    else:
        done = value == column_type.sql
    if done:
        return None
    return f"format: {value}: values are not compared with it, but with {column_type.sql}; a text may have a pattern"


SUPPORTED_OPTIONS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern"),
    *("format", "timezone"),
)
