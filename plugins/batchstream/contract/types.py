"""The types a column may have: a closed vocabulary of PostgreSQL's, each with what the other engines call it."""

import datetime
import re
import uuid
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column.

    Attributes:
        sql: PostgreSQL's own spelling, as ``format_type`` prints it.
        python: Type of a value in Python.
        copy_type: Name under which psycopg knows the type for COPY.
        logical: Logical types of the Open Data Contract Standard that agree with it.
        minimum: Smallest value of an integer or single precision type.
        maximum: Largest value of an integer or single precision type.
        precision: All digits of a numeric.
        scale: Digits of a numeric after the point.
        max_length: Characters of a varchar.
        has_zone: Whether a timestamp carries an offset.
    """

    sql: str
    python: type
    copy_type: str
    logical: tuple[str, ...]
    minimum: float | None = None
    maximum: float | None = None
    precision: int | None = None
    scale: int | None = None
    max_length: int | None = None
    has_zone: bool = False


# The largest double that still rounds to a finite value of four bytes; beyond it PostgreSQL's real is out of range.
_MAX_REAL = 3.4028235677973362e38

_SIMPLE = {
    "smallint": ColumnType("smallint", int, "int2", ("integer", "number"), -(2**15), 2**15 - 1),
    "integer": ColumnType("integer", int, "int4", ("integer", "number"), -(2**31), 2**31 - 1),
    "bigint": ColumnType("bigint", int, "int8", ("integer", "number"), -(2**63), 2**63 - 1),
    "real": ColumnType("real", float, "float4", ("number",), -_MAX_REAL, _MAX_REAL),
    "double precision": ColumnType("double precision", float, "float8", ("number",)),
    "text": ColumnType("text", str, "text", ("string",)),
    "character varying": ColumnType("character varying", str, "varchar", ("string",)),
    "boolean": ColumnType("boolean", bool, "bool", ("boolean",)),
    "date": ColumnType("date", datetime.date, "date", ("date",)),
    "timestamp without time zone": ColumnType(
        "timestamp without time zone", datetime.datetime, "timestamp", ("timestamp", "date")
    ),
    "timestamp with time zone": ColumnType(
        "timestamp with time zone", datetime.datetime, "timestamptz", ("timestamp", "date"), has_zone=True
    ),
    "uuid": ColumnType("uuid", uuid.UUID, "uuid", ("string",)),
}

_ALIASES = {
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}

_NUMERIC = re.compile(r"(?:numeric|decimal)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_VARCHAR = re.compile(r"(?:varchar|character varying)\s*\(\s*(\d+)\s*\)")

MAX_NUMERIC_PRECISION = 1000
MAX_VARCHAR_LENGTH = 10_485_760

SUPPORTED = ", ".join([*_SIMPLE, "numeric(p,s)", "varchar(n)"])


def parse_type(text: str) -> ColumnType:
    """The type that PostgreSQL would read from `text`.

    Raises:
        ValueError: It is none of the supported types; the message says which are.
    """
    name = " ".join(text.lower().split())
    if (simple := _SIMPLE.get(_ALIASES.get(name, name))) is not None:
        return simple
    if (numeric := _NUMERIC.fullmatch(name)) is not None:
        precision, scale = int(numeric[1]), int(numeric[2] or 0)
        if not 1 <= precision <= MAX_NUMERIC_PRECISION or scale > precision:
            raise ValueError(f"type '{text}' needs 1 <= p <= {MAX_NUMERIC_PRECISION} and 0 <= s <= p; write numeric(p,s)")
        logical = ("number", "integer") if scale == 0 else ("number",)
        return ColumnType(f"numeric({precision},{scale})", Decimal, "numeric", logical, precision=precision, scale=scale)
    if (varchar := _VARCHAR.fullmatch(name)) is not None:
        length = int(varchar[1])
        if not 1 <= length <= MAX_VARCHAR_LENGTH:
            raise ValueError(f"type '{text}' needs 1 <= n <= {MAX_VARCHAR_LENGTH}; write varchar(n) or text")
        return ColumnType(f"character varying({length})", str, "varchar", ("string",), max_length=length)
    raise ValueError(f"type '{text}' is not supported; use one of {SUPPORTED}")
