"""The columns of a contract: what the header of the source calls each, what the table calls it, and what it may hold."""

from collections.abc import Mapping
from typing import NamedTuple

from open_data_contract_standard.model import SchemaObject, SchemaProperty

from batchstream.contract.column_types import ColumnType
from batchstream.contract.given import Given, Types
from batchstream.contract.logical import type_of
from batchstream.contract.mistake import MistakeError, Place, said
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Column
from batchstream.contract.names import SYSTEM_COLUMNS, why_impossible
from batchstream.contract.spelling import SPELLING_SETTINGS, Spelling, read_spelling
from batchstream.contract.structures import require_equality, with_json_kind
from batchstream.contract.transforms import is_derived
from batchstream.contract.value_rules import read_rules

MAX_COLUMNS = 1590
"""PostgreSQL allows 1,600 in a table, those of ours and those that were dropped included."""

MAX_KEYS = 32
"""PostgreSQL's own limit of columns in an index."""

NO_POSITION = -1
"""The standard's default of primaryKeyPosition."""

COLUMN_SETTINGS: dict[str, Types] = {"indexed": bool, "stored": bool, **SPELLING_SETTINGS}
"""The ``customProperties`` of a column: name → type of its value."""

_PROPERTIES: Place = ("schema", 0, "properties")


class Columns(NamedTuple):
    """The columns of a contract, without those that have a mistake.

    Attributes:
        keys: Names of the key columns, in the order of the key.
        stored: Those of the table, in its order.
        inputs: Those of the source, in its order.
        derived: Place in the document → a column that is computed, and its expression.
    """

    keys: tuple[str, ...]
    stored: tuple[Column, ...]
    inputs: tuple[Column, ...]
    derived: dict[Place, tuple[Column, str]]


def read_columns(table: SchemaObject, spelling: Spelling, types: Mapping[str, ColumnType], mistakes: Mistakes) -> Columns:
    """All columns of a contract.

    Args:
        table: The contract's.
        spelling: How the source spells values, unless a column says otherwise.
        types: Enum types and domains of the database, by the names that the contract has for them.
        mistakes: Takes each mistake of a column.
    """
    properties = table.properties or []
    with mistakes.at(*_PROPERTIES):
        if not properties:
            raise MistakeError(said(_PROPERTIES), "is empty; write a property for each column of the source, in its order")
        if len(properties) > MAX_COLUMNS:
            raise MistakeError(
                said(_PROPERTIES),
                f"a table of PostgreSQL has at most 1,600 columns, of which batchstream needs a few; got {len(properties):,}; "
                f"write at most {MAX_COLUMNS:,}",
            )
    first: dict[str, int] = {}
    for number, prop in enumerate(properties):
        name = table_name_of(prop)
        if first.setdefault(name, number) != number and name:
            mistakes.note(
                (*_PROPERTIES, number), f"column '{name}': stands twice; write each column once, under a physicalName of its own"
            )
    columns = [_column(number, prop, spelling, types, mistakes) for number, prop in enumerate(properties[:MAX_COLUMNS])]
    with mistakes.at(*_PROPERTIES):
        if properties and all(map(is_derived, properties)):
            raise MistakeError(said(_PROPERTIES), "has transformLogic in each column; write the columns of the source, too")
    found = [(number, prop, column) for number, (prop, column) in enumerate(zip(properties, columns, strict=False)) if column]
    return Columns(
        _keys(properties, mistakes),
        tuple(column for _, _, column in found if column.stored),
        tuple(column for _, prop, column in found if not is_derived(prop)),
        {(*_PROPERTIES, number): (column, prop.transformLogic or "") for number, prop, column in found if is_derived(prop)},
    )


def _keys(properties: list[SchemaProperty], mistakes: Mistakes) -> tuple[str, ...]:
    """The key columns: by primaryKeyPosition those that have one, then the others as they stand."""
    positions: dict[int, str] = {}
    for number, prop in enumerate(properties):
        position = prop.primaryKeyPosition
        if position is None or position == NO_POSITION:
            continue
        name = table_name_of(prop)
        with mistakes.at(*_PROPERTIES, number, "primaryKeyPosition", field=f"column '{name}': primaryKeyPosition"):
            if not prop.primaryKey:
                raise ValueError(f"got {position}; add primaryKey: true, or remove the position")
            if position < 1:
                raise ValueError(f"got {position}; write 1 for the first column of the key")
            if position in positions:
                raise ValueError(f"got {position}, as for '{positions[position]}'; write another number for one of them")
            positions[position] = name
    placed = [positions[position] for position in sorted(positions)]
    keys = (*placed, *(name for prop in properties if prop.primaryKey and (name := table_name_of(prop)) not in placed))
    with mistakes.at(*_PROPERTIES):
        if len(keys) > MAX_KEYS:
            raise MistakeError(said(_PROPERTIES), f"got {len(keys)} columns with primaryKey; write at most {MAX_KEYS}")
    return keys


def table_name_of(prop: SchemaProperty) -> str:
    """What the table calls a column."""
    return prop.physicalName or prop.name or ""


def _column(
    number: int, prop: SchemaProperty, general: Spelling, types: Mapping[str, ColumnType], mistakes: Mistakes
) -> Column | None:
    place: Place = (*_PROPERTIES, number)
    name = mistakes.read(lambda: _name(said(place), prop), *place, "name")
    field = f"column '{name or table_name_of(prop)}'"
    if prop.primaryKey and prop.required is False:
        mistakes.tell((*place, "required"), f"{field}: required: false: the primary key is NOT NULL all the same")
    column_type = mistakes.read(lambda: with_json_kind(prop, type_of(prop, types)), *place, "physicalType", field=field)
    if column_type is None:
        return None
    with mistakes.at(*place, "logicalType", field=field):
        require_equality(prop, column_type)
    if column_type.is_unknown:
        mistakes.tell(
            (*place, "physicalType"),
            f"{field}: physicalType {column_type.sql}: is looked up in the database when a load opens: an enum type or a domain",
        )
    elif not prop.physicalType:
        mistakes.tell((*place, "logicalType"), f"{field}: is {column_type.sql}, by default for logicalType {prop.logicalType}")
    elif prop.logicalType and prop.logicalType not in column_type.logical:
        mistakes.tell(
            (*place, "logicalType"),
            f"{field}: logicalType {prop.logicalType}: has no effect: the column is {column_type.sql}, as physicalType says",
        )
    own: Place = (*place, "customProperties")
    given = Given(prop.customProperties or [], COLUMN_SETTINGS, mistakes, own, f"{field}: customProperties: ")
    spelling = _spelling(given, general, f"{field}: customProperties: ")
    if is_derived(prop):
        _refuse_spelling(given, field)
    elif given.get("stored") is False:
        _require_unused(prop, given, field)
    rules = read_rules(prop, column_type, mistakes, place, field)
    if name is None or spelling is None:
        return None
    return Column(
        name,
        column_type,
        nullable=not (prop.required or prop.primaryKey),
        indexed=given.get("indexed", False),
        rules=rules,
        source_name=name if prop.name is None else prop.name.strip(),
        spelling=spelling,
        stored=is_derived(prop) or given.get("stored", True),
    )


def _refuse_spelling(given: Given, field: str) -> None:
    for name in (*SPELLING_SETTINGS, "stored"):
        if given.stands(name):
            given.note(name, f"{field}: customProperties: {name}: has no meaning beside transformLogic; remove one of them")


def _require_unused(prop: SchemaProperty, given: Given, field: str) -> None:
    """A column that no table has can't be what a table needs."""
    uses = {
        "primaryKey": prop.primaryKey,
        "unique": prop.unique,
        "quality": prop.quality,
        "relationships": prop.relationships,
        "indexed": given.get("indexed"),
    }
    for name, used in uses.items():
        if used:
            given.note("stored", f"{field}: customProperties: stored: got false, but {name} needs the column; remove one of them")


def _spelling(given: Given, general: Spelling, field: str) -> Spelling | None:
    try:
        return read_spelling({name: given.get(name) for name in SPELLING_SETTINGS if name in given}, general)
    except ValueError as error:
        # Each of these messages begins with its setting.
        given.note(str(error).partition(":")[0], f"{field}{error}")
        return None


def _name(where: str, prop: SchemaProperty) -> str:
    """What the table calls a column; the source may call it otherwise."""
    name = table_name_of(prop)
    if not name:
        raise MistakeError(f"{where}.name", "is missing; write what the header of the source calls the column")
    if prop.name is not None and any(character in prop.name for character in "\r\n"):
        raise MistakeError(f"{where}.name", f"got {prop.name!r}; write the name as the header has it, which is one line")
    if why := why_impossible(name):
        field = "physicalName" if prop.physicalName else "name"
        also = "" if prop.physicalName else "; what the header calls it may be longer if physicalName says what the table does"
        raise MistakeError(f"{where}.{field}", f"{why}{also}")
    if name in SYSTEM_COLUMNS:
        raise MistakeError(
            f"column '{name}'",
            f"is the name of a system column of PostgreSQL; add another name for the table, such as physicalName: source_{name}",
        )
    return name
