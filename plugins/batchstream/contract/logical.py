"""The standard's logical types: the type of a column whose contract has no ``physicalType``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from open_data_contract_standard.model import SchemaProperty

from batchstream.contract import own_types
from batchstream.contract.column_types import NO_TYPES
from batchstream.contract.types import SUPPORTED, ColumnType, parse_type

WITH_ZONE, WITHOUT_ZONE = "timestamp with time zone", "timestamp without time zone"

# Logical type → physical type, where no option says more.
DEFAULTS = {
    "string": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": WITH_ZONE,
    "time": "time without time zone",
    "object": "jsonb",
    "array": "jsonb",
}

# Logical type, option and its value → physical type.
BY_OPTION: dict[tuple[str, str, Any], str] = {
    ("string", "format", "uuid"): "uuid",
    ("integer", "format", "i8"): "smallint",
    ("integer", "format", "u8"): "smallint",
    ("integer", "format", "i16"): "smallint",
    ("integer", "format", "u16"): "integer",
    ("integer", "format", "i32"): "integer",
    ("integer", "format", "u32"): "bigint",
    ("integer", "format", "u64"): "numeric(20,0)",
    ("integer", "format", "i128"): "numeric(39,0)",
    ("integer", "format", "u128"): "numeric(39,0)",
    ("number", "format", "f32"): "real",
    ("timestamp", "timezone", False): WITHOUT_ZONE,
}


def default_type(prop: SchemaProperty) -> str:
    """The physical type of a column that has a logical one only.

    Raises:
        ValueError: It has neither, or a logical one for which there is no column.
    """
    if not prop.logicalType:
        raise ValueError(f"physicalType is missing, and a type is never guessed; write one of {SUPPORTED}")
    for option, value in (prop.logicalTypeOptions or {}).items():
        if isinstance(value, str | bool) and (found := BY_OPTION.get((prop.logicalType, option, value))):
            return found
    if prop.logicalType not in DEFAULTS:
        raise ValueError(
            f"logicalType: got '{prop.logicalType}', for which there is no physicalType by default; write a physicalType, one of "
            f"{SUPPORTED}, or a logicalType such as {', '.join(DEFAULTS)}"
        )
    return DEFAULTS[prop.logicalType]


def type_of(prop: SchemaProperty, types: Mapping[str, ColumnType] = NO_TYPES) -> ColumnType:
    """The type of a column: its physical one, or the default for its logical one.

    Many databases call it ``timestamp`` with and without a time zone; the option ``timezone`` says which.

    Args:
        prop: The column.
        types: Enum types and domains of the database, by the names that the contract has for them.

    Raises:
        ValueError: It has neither, or it is not supported.
    """
    own = types.get((prop.physicalType or "").strip())
    if own is not None:
        return own
    if prop.physicalType and _is_own(prop.physicalType):
        return own_types.unknown(prop.physicalType, default_type(prop) if prop.logicalType in DEFAULTS else "text")
    try:
        column_type = parse_type(prop.physicalType or default_type(prop))
        without_zone = column_type.python is datetime and not column_type.has_zone
        if without_zone and (prop.logicalTypeOptions or {}).get("timezone") is True:
            return parse_type(column_type.sql.replace("without", "with"))
        return column_type
    except ValueError as error:
        raise ValueError(f"physicalType: {error}" if prop.physicalType else str(error)) from error


def _is_own(text: str) -> bool:
    try:
        parse_type(text)
    except ValueError:
        return own_types.may_be_own(text)
    return False
