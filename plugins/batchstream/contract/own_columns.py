"""The columns that batchstream adds to a data set's tables, and how they give way to columns of a contract."""

from collections.abc import Collection, Iterator
from itertools import count
from typing import NamedTuple

PREFIX = "batchstream_"
"""Stands before the name of one of ours if a contract has a column of that name."""


class OwnColumns(NamedTuple):
    """What the tables of one data set call them.

    Attributes:
        id: 1-based number of the record in its source: the primary key of a table whose contract names no key.
        created_at: When the row came into the table.
        updated_at: When it changed last.
        load_id: Of the load that wrote it.
        record_id: As `id`, in landings and partitions.
    """

    id: str
    created_at: str
    updated_at: str
    load_id: str
    record_id: str


def own_columns(taken: Collection[str]) -> OwnColumns:
    """Our columns beside columns of these names: the plain name where it is free, otherwise the next that is."""
    return OwnColumns(*(next(name for name in names_of(plain) if name not in taken) for plain in OwnColumns._fields))


def names_of(plain: str) -> Iterator[str]:
    """What one of ours may be called, in the order in which a free name is looked for."""
    yield plain
    yield PREFIX + plain
    for number in count(2):
        yield f"{PREFIX}{plain}_{number}"
