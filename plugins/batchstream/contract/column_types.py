"""The types a column may have: a closed vocabulary of PostgreSQL's, each with what the other engines call it."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from batchstream.contract.type_names import TIME, TIMETZ


class Written:
    """The Python type of a value that travels as a text and that a judge of ours turns into PostgreSQL's bytes."""


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
        form: Name of the judge in `batchstream.records.forms`, for a type that msgspec does not know.
        second_digits: Most digits of a second, where the type has fewer than PostgreSQL keeps.
        element: Type of an array's elements.
        json_kind: ``object`` or ``array``, if a JSON value has to be one.
        labels: The values of an enum type of the database.
        is_domain: Whether the database has further checks of a value; the rest is said of the type below it.
        is_unknown: Whether the database has yet to be asked for the type; the rest is a guess by the logical type.
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
    form: str | None = None
    second_digits: int | None = None
    element: "ColumnType | None" = None
    json_kind: str | None = None
    labels: tuple[str, ...] = ()
    is_domain: bool = False
    is_unknown: bool = False

    @property
    def has_equality(self) -> bool:
        """Whether PostgreSQL can say that two values are equal, as a key needs it."""
        return (self.element or self).form != "json" and not self._is_domain_of_enum

    @property
    def compared_as_text(self) -> bool:
        """Whether equal values may differ to a reader, such as the intervals ``1 mon`` and ``30 days``, or none is equal."""
        return (self.element or self).form in ("json", "jsonb", "interval") or self._is_domain_of_enum

    @property
    def _is_domain_of_enum(self) -> bool:
        # PostgreSQL finds no operator for it: those of enum types are polymorphic, and take no domain.
        return self.is_domain and bool(self.labels)


NO_TYPES: Mapping[str, ColumnType] = MappingProxyType({})
"""The types of a database of which nothing was looked up."""

# The largest double that still rounds to a finite value of four bytes; beyond it PostgreSQL's real is out of range.
_MAX_REAL = 3.4028235677973362e38

SIMPLE = {
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
    "numeric": ColumnType("numeric", Decimal, "numeric", ("number", "integer")),
    "bpchar": ColumnType("bpchar", str, "text", ("string",)),
    "name": ColumnType("name", str, "text", ("string",), form="name"),
    "json": ColumnType("json", Written, "bytea", ("object", "array", "string"), form="json"),
    "jsonb": ColumnType("jsonb", Written, "bytea", ("object", "array", "string"), form="jsonb"),
    TIME: ColumnType(TIME, Written, "bytea", ("time", "string"), form="time"),
    TIMETZ: ColumnType(TIMETZ, Written, "bytea", ("time", "string"), form="timetz"),
    "interval": ColumnType("interval", Written, "bytea", ("string", "time"), form="interval"),
    "bytea": ColumnType("bytea", Written, "bytea", ("string", "array"), form="bytea"),
    **{name: ColumnType(name, Written, "bytea", ("string",), form=name) for name in ("inet", "cidr", "macaddr", "macaddr8")},
}
