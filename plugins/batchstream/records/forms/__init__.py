"""Judges of the types that msgspec doesn't know. Such a value is a text in a message; its judge gives PostgreSQL's bytes of it.

What a judge takes, PostgreSQL's cast of the same text takes, with the same result; it may refuse more.
"""

from collections.abc import Callable

from batchstream.contract.model import Column
from batchstream.records.forms import binary, clock, interval, json_text, network, text

Judge = Callable[[str], str | bytes]
"""Gives what COPY BINARY is given for a text, or raises ValueError with the reason."""

_MAKERS: dict[str, Callable[[Column], Judge]] = {
    "name": text.name,
    "character": text.character,
    "json": json_text.json,
    "jsonb": json_text.jsonb,
    "time": clock.time,
    "timetz": clock.time_with_zone,
    "interval": interval.judge,
    "bytea": binary.judge,
    "inet": network.inet,
    "cidr": network.cidr,
    "macaddr": network.macaddr,
    "macaddr8": network.macaddr8,
}


def judge_of(column: Column) -> Judge | None:
    """The judge of a column's values; None for a type that needs none, and for an array."""
    maker = _MAKERS.get(column.type.form or "")
    return None if maker is None else maker(column)
