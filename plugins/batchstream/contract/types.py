"""Reads a type as a contract writes it: by the names of `type_names.py`, with lengths, digits and brackets."""

import re
from dataclasses import replace
from decimal import Decimal

from batchstream.contract import type_names
from batchstream.contract.column_types import SIMPLE, ColumnType, Written
from batchstream.contract.type_names import CHAR, NAMES, NUMBER, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ

__all__ = ["MAX_VARCHAR_LENGTH", "SUPPORTED", "ColumnType", "Written", "parse_type"]

# What may stand behind the name of a type, at any place: (12,2), (max), (40 char), <string>, [3].
_ARGUMENTS = re.compile(r"\(([^()]*)\)")
_INNER_TYPES = re.compile(r"<.*>")
_BRACKETS = re.compile(r"(.*[^\]\s])\s*\[\s*(\d*)\s*\]")
_LENGTH = re.compile(r"(\d+)(?: (?:char|byte))?")

MAX_NUMERIC_PRECISION = 1000
MAX_VARCHAR_LENGTH = 10_485_760
MAX_FLOAT_BITS, MAX_REAL_BITS = 53, 24
MAX_SECOND_DIGITS = 6
NO_LENGTH = ("max", str(2**31 - 1))
"""How other databases say that a text has any length."""

SUPPORTED = (
    "smallint, integer, bigint, numeric, numeric(p,s), real, double precision, text, varchar(n), char(n), boolean, date, "
    "timestamp, timestamptz, time, timetz, interval, uuid, json, jsonb, bytea, name, inet, cidr, macaddr, macaddr8, or an array "
    "such as text[]"
)


def parse_type(text: str) -> ColumnType:
    """The type that PostgreSQL, or another database that has one of that name, would read from `text`.

    Raises:
        ValueError: It is none of the supported types; the message says which are.
    """
    name = " ".join(text.lower().split())
    brackets = _BRACKETS.fullmatch(name)
    if brackets is None:
        return _plain_type(text, name)
    before, number = brackets[1], brackets[2]
    if number and before in NAMES and NAMES[before].type in (TEXT, CHAR, "bpchar"):
        return _plain_type(text, f"{before}({number})")
    return array_of(_plain_type(text, before))


def array_of(element: ColumnType) -> ColumnType:
    """The type of an array, of one dimension."""
    return ColumnType(f"{element.sql}[]", Written, "bytea", ("array", "string"), form="array", element=element)


def _plain_type(text: str, name: str) -> ColumnType:
    name = _INNER_TYPES.sub("", name)
    arguments = [argument.strip() for found in _ARGUMENTS.findall(name) for argument in found.split(",")]
    base = " ".join(_ARGUMENTS.sub(" ", name).split())
    known = NAMES.get(base)
    if known is None:
        raise ValueError(
            f"type '{text}' is not supported; use one of {SUPPORTED}, or an enum type or a domain of your database, with its "
            "schema such as public.mood"
        )
    kind = known.type
    if kind == NUMBER:
        return _numeric(text, arguments)
    if kind == TEXT:
        return _varchar(text, arguments)
    if kind == CHAR or (kind == "bpchar" and arguments):
        return _character(text, arguments)
    if base == "float" and arguments:
        return _float(text, arguments)
    if base == "bit" and arguments not in ([], ["1"]):
        raise ValueError(f"type '{text}' is not supported; write bit(1) for a boolean, or text")
    if kind in (TIMESTAMP, TIMESTAMPTZ, TIME, TIMETZ) and arguments:
        return _timed(text, kind, arguments)
    if "(" in kind:
        return parse_type(kind)
    if base in type_names.OBJECTS or base in type_names.LISTS:
        return replace(SIMPLE[kind], json_kind="object" if base in type_names.OBJECTS else "array")
    return SIMPLE[kind]


def _numeric(text: str, arguments: list[str]) -> ColumnType:
    if not arguments:
        return SIMPLE["numeric"]
    digits = [_whole(argument) for argument in arguments]
    precision, scale = digits[0] or 0, digits[1] if len(digits) > 1 else 0
    if scale is None or len(digits) > 2 or not 1 <= precision <= MAX_NUMERIC_PRECISION or scale > precision:
        raise ValueError(f"type '{text}' needs 1 <= p <= {MAX_NUMERIC_PRECISION} and 0 <= s <= p; write numeric(p,s)")
    logical = ("number", "integer") if scale == 0 else ("number",)
    return ColumnType(f"numeric({precision},{scale})", Decimal, "numeric", logical, precision=precision, scale=scale)


def _varchar(text: str, arguments: list[str]) -> ColumnType:
    if not arguments or (len(arguments) == 1 and arguments[0] in NO_LENGTH):
        return SIMPLE[TEXT]
    length = _length(text, arguments, "varchar(n) or text")
    return ColumnType(f"character varying({length})", str, "varchar", ("string",), max_length=length)


def _character(text: str, arguments: list[str]) -> ColumnType:
    length = _length(text, arguments or ["1"], "char(n) or text")
    return ColumnType(f"character({length})", str, "text", ("string",), max_length=length, form="character")


def _float(text: str, arguments: list[str]) -> ColumnType:
    bits = _whole(arguments[0]) if len(arguments) == 1 else None
    if bits is None or not 1 <= bits <= MAX_FLOAT_BITS:
        raise ValueError(f"type '{text}' needs 1 <= n <= {MAX_FLOAT_BITS}; write real or double precision")
    return SIMPLE["real" if bits <= MAX_REAL_BITS else "double precision"]


def _timed(text: str, kind: str, arguments: list[str]) -> ColumnType:
    digits = _whole(arguments[0]) if len(arguments) == 1 else None
    if digits is None:
        raise ValueError(f"type '{text}' needs a number of digits of a second; write such as timestamp(3)")
    if digits > MAX_SECOND_DIGITS:
        return SIMPLE[kind]
    first, rest = kind.split(" ", 1)
    return replace(SIMPLE[kind], sql=f"{first}({digits}) {rest}", second_digits=digits)


def _length(text: str, arguments: list[str], write: str) -> int:
    length = _whole(arguments[0]) if len(arguments) == 1 else None
    if length is None or not 1 <= length <= MAX_VARCHAR_LENGTH:
        raise ValueError(f"type '{text}' needs 1 <= n <= {MAX_VARCHAR_LENGTH}; write {write}")
    return length


def _whole(argument: str) -> int | None:
    found = _LENGTH.fullmatch(argument)
    return None if found is None else int(found[1])
