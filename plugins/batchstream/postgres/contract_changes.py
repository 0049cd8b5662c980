"""What a changed contract means: for who reads the table, for the table itself, and for the loads. Nothing is looked up."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import sql

from batchstream.contract.model import Column, Contract, Publish
from batchstream.postgres import relations
from batchstream.postgres.found_columns import FoundColumn, change

_ANEW = "rename the table, and the next load makes it anew"


class Meaning(StrEnum):
    """Whom a change concerns."""

    BREAKS = "breaks readers"
    STOPS = "stops loads"
    CHANGES = "changes loads"


class Change(NamedTuple):
    """A difference between two contracts of one data set.

    Attributes:
        meaning: Whom it concerns; ``stops loads`` until what is said is done.
        sentence: What differs, and what is to be done.
    """

    meaning: Meaning
    sentence: str


def changes(old: Contract, new: Contract) -> Iterator[Change]:
    """Each difference between two contracts that matters, in the order of the columns."""
    if old.name != new.name:
        yield Change(Meaning.BREAKS, f"the table is called '{new.name}' and no longer '{old.name}', which stays as it is")
        return
    if old.publish is not new.publish:
        yield Change(Meaning.STOPS, f"publish is {new.publish} and no longer {old.publish}: {_ANEW}")
        return
    yield from _of_columns(old, new)
    if old.keys != new.keys:
        yield Change(Meaning.STOPS, f"the key is {_listed(new)} and no longer {_listed(old)}: {_ANEW}")
    yield from _of_rules(old, new)
    yield from _of_loads(old, new)


def _of_columns(old: Contract, new: Contract) -> Iterator[Change]:
    table = relations.base_table(new).as_string()
    before, after = ({column.name: column for column in contract.columns} for contract in (old, new))
    for name, column in after.items():
        statement = f"ALTER TABLE {table} " + change(
            sql.Identifier(name).as_string(), _found(before[name]) if name in before else None, _found(column)
        )
        if name not in before:
            yield Change(Meaning.STOPS, f"column '{name}' is new ({_found(column)}): {statement}")
        elif _found(before[name]) != _found(column):
            only_null = before[name].type.sql == column.type.sql
            yield Change(
                Meaning.STOPS if only_null and not column.nullable else Meaning.BREAKS,
                f"column '{name}' is {_found(column)} and no longer {_found(before[name])}: {statement}",
            )
        elif before[name].rules != column.rules:
            yield Change(Meaning.CHANGES, f"column '{name}' has other rules: records that break them are rejected")
        if name in before and before[name].indexed != column.indexed:
            yield Change(Meaning.CHANGES, f"column '{name}' is {'' if column.indexed else 'not '}indexed from the next load on")
    cascade = " CASCADE" if new.publish is Publish.SWAP else ""
    for name in before:
        if name not in after:
            yield Change(
                Meaning.BREAKS,
                f"column '{name}' is gone: ALTER TABLE {table} DROP COLUMN {sql.Identifier(name).as_string()}{cascade}",
            )


def _of_rules(old: Contract, new: Contract) -> Iterator[Change]:
    before, after = ({check.name: check for check in contract.checks} for contract in (old, new))
    for name, check in after.items():
        if before.get(name) != check:
            yield Change(Meaning.CHANGES, f"rule '{name}' is {'another one' if name in before else 'new'}")
    for name in before:
        if name not in after:
            yield Change(Meaning.CHANGES, f"rule '{name}' is gone: loads are published that break it")


def _of_loads(old: Contract, new: Contract) -> Iterator[Change]:
    if old.topic.name == new.topic.name and old.topic != new.topic:
        todo = "change them on the broker, or delete it, and it is made anew"
        yield Change(Meaning.STOPS, f"topic '{new.topic.name}' has other settings: {todo}")
    for what, one, other in (
        ("the topic", old.topic.name, new.topic.name),
        ("the source", _path(old), _path(new)),
        ("rejectedRecordsAllowed", str(old.rejected_records_allowed), str(new.rejected_records_allowed)),
        ("the schedule", str(old.schedule), str(new.schedule)),
    ):
        if one != other:
            yield Change(Meaning.CHANGES, f"{what} is {other} and no longer {one}")
    computed, computed_before = _computed(new), _computed(old)
    for what in computed.keys() | computed_before.keys():
        if computed.get(what) != computed_before.get(what):
            yield Change(Meaning.CHANGES, f"{what} is {computed.get(what)} and no longer {computed_before.get(what)}")
    common = {column.name for column in old.columns} & {column.name for column in new.columns}
    if _reading(old, common) != _reading(new, common):
        yield Change(Meaning.CHANGES, "the source is read by other settings")


def _computed(contract: Contract) -> dict[str, str]:
    """What Spark computes, of columns that the table has before and after, and the filter."""
    if contract.transform is None:
        return {}
    found = {f"what Spark computes of '{name}'": repr(text) for name, text in contract.transform.expressions.items()}
    return (
        found if contract.transform.record_filter is None else {**found, "recordFilter": repr(contract.transform.record_filter)}
    )


def _path(contract: Contract) -> str:
    path, root = contract.source.path, contract.source.root
    return str(path.relative_to(root) if isinstance(path, Path) and path.is_relative_to(root) else path)


def _reading(contract: Contract, columns: Collection[str]) -> tuple[Any, ...]:
    """How a source and some of its columns are read, wherever it lies."""
    anywhere = replace(contract.source, path=Path(), root=Path())
    return anywhere, {column.name: (column.source_name, column.spelling) for column in contract.columns if column.name in columns}


def _found(column: Column) -> FoundColumn:
    return FoundColumn(column.type.sql, not column.nullable)


def _listed(contract: Contract) -> str:
    return ", ".join(contract.keys) or "the number of the record"
