"""PostgreSQL's bytes of plain values, as the elements of an array need them, and the numbers of their types."""

import datetime
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from batchstream.contract.column_types import ColumnType

_OIDS = {
    "boolean": 16,
    "bytea": 17,
    "name": 19,
    "bigint": 20,
    "smallint": 21,
    "integer": 23,
    "text": 25,
    "json": 114,
    "cidr": 650,
    "real": 700,
    "double precision": 701,
    "macaddr8": 774,
    "macaddr": 829,
    "inet": 869,
    "character": 1042,
    "bpchar": 1042,
    "character varying": 1043,
    "date": 1082,
    "time without time zone": 1083,
    "timestamp without time zone": 1114,
    "timestamp with time zone": 1184,
    "interval": 1186,
    "time with time zone": 1266,
    "numeric": 1700,
    "uuid": 2950,
    "jsonb": 3802,
}
"""src/include/catalog/pg_type.dat; they never change."""

_EPOCH = datetime.datetime(2000, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


def oid(kind: ColumnType) -> int:
    """Number of a type, without its length or digits."""
    before, _, rest = kind.sql.partition("(")
    return _OIDS[(before + rest.partition(")")[2]).strip()]


def encoder(kind: ColumnType) -> Callable[[Any], bytes]:
    """What gives the bytes of a value; those of a judge are bytes already."""
    if kind.copy_type in _STRUCTS:
        return struct.Struct(_STRUCTS[kind.copy_type]).pack
    if kind.python is datetime.datetime:
        return _zoned if kind.has_zone else _timestamp
    return _ENCODERS.get(kind.python, bytes)


_STRUCTS = {"int2": ">h", "int4": ">i", "int8": ">q", "float4": ">f", "float8": ">d", "bool": ">?"}


def _date(value: datetime.date) -> bytes:
    return struct.pack(">i", value.toordinal() - _EPOCH.toordinal())


def _timestamp(value: datetime.datetime) -> bytes:
    return struct.pack(">q", (value - _EPOCH) // _MICROSECOND)


def _zoned(value: datetime.datetime) -> bytes:
    return struct.pack(">q", (value - _EPOCH.replace(tzinfo=datetime.UTC)) // _MICROSECOND)


def _numeric(value: Decimal) -> bytes:
    """Groups of four digits, the weight of the first one in powers of 10,000, the sign, and the digits after the point."""
    # The methods of Decimal that round to nobody's context.
    whole, _, fraction = format(value.copy_abs(), "f").partition(".")
    scale = len(fraction)
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    groups = [int((whole + fraction)[at : at + 4]) for at in range(0, len(whole) + len(fraction), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        del groups[0]
        weight -= 1
    while groups and groups[-1] == 0:
        del groups[-1]
    if not groups:
        return struct.pack(">hhHH", 0, 0, 0, scale)
    return struct.pack(f">hhHH{len(groups)}h", len(groups), weight, 0x4000 if value.is_signed() else 0, scale, *groups)


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    str: str.encode,
    datetime.date: _date,
    uuid.UUID: lambda value: value.bytes,
    Decimal: _numeric,
}
