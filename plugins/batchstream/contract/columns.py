"""The columns of a contract: what the header of the source calls each, what the table calls it, and what it may hold."""

import re

from open_data_contract_standard.model import SchemaObject, SchemaProperty

from batchstream.contract.given import Given, Types
from batchstream.contract.logical import require_agreement, type_of
from batchstream.contract.mistake import MistakeError, Place, said
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import RECORD_ID, Column
from batchstream.contract.spelling import SPELLING_SETTINGS, Spelling, read_spelling
from batchstream.contract.value_rules import read_rules

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
MAX_NAME_LENGTH = 63
"""PostgreSQL cuts longer names without an error."""

MAX_COLUMNS = 1590
"""PostgreSQL allows 1,600 in a table, those of ours and those that were dropped included."""

OWN_COLUMNS = ("created_at", "updated_at", "load_id", "record_id")
SYSTEM_COLUMNS = ("cmax", "cmin", "ctid", "tableoid", "xmax", "xmin")
"""Names that PostgreSQL keeps to itself in every table."""

COLUMN_SETTINGS: dict[str, Types] = {"indexed": bool, **SPELLING_SETTINGS}
"""The ``customProperties`` of a column: name → type of its value."""

_PROPERTIES: Place = ("schema", 0, "properties")


def read_columns(table: SchemaObject, spelling: Spelling, mistakes: Mistakes) -> tuple[str | None, tuple[Column, ...]]:
    """Name of the key column, if there is one, and all columns without a mistake in the order of the source.

    Args:
        table: The contract's.
        spelling: How the source spells values, unless a column says otherwise.
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
    keys = [prop for prop in properties if prop.primaryKey]
    with mistakes.at(*_PROPERTIES):
        if len(keys) > 1:
            names = ", ".join(str(prop.name) for prop in keys)
            raise MistakeError(said(_PROPERTIES), f"primaryKey must stand at one column at most; got {names}; keep one")
    first: dict[str, int] = {}
    for number, prop in enumerate(properties):
        name = table_name_of(prop)
        if first.setdefault(name, number) != number and name:
            mistakes.note(
                (*_PROPERTIES, number), f"column '{name}': stands twice; write each column once, under a physicalName of its own"
            )
    columns = [
        _column(number, prop, spelling, mistakes, has_key=bool(keys)) for number, prop in enumerate(properties[:MAX_COLUMNS])
    ]
    return (table_name_of(keys[0]) if keys else None), tuple(filter(None, columns))


def table_name_of(prop: SchemaProperty) -> str:
    """What the table calls a column."""
    return prop.physicalName or prop.name or ""


def _column(number: int, prop: SchemaProperty, general: Spelling, mistakes: Mistakes, *, has_key: bool) -> Column | None:
    place: Place = (*_PROPERTIES, number)
    name = mistakes.read(lambda: _name(said(place), prop, has_key=has_key), *place, "name")
    field = f"column '{name or table_name_of(prop)}'"
    if prop.primaryKey and prop.required is False:
        mistakes.tell((*place, "required"), f"{field}: required: false: the primary key is NOT NULL all the same")
    column_type = mistakes.read(lambda: type_of(prop), *place, "physicalType", field=field)
    if column_type is None:
        return None
    with mistakes.at(*place, "logicalType", field=field):
        require_agreement(prop, column_type)
    if not prop.physicalType:
        mistakes.tell((*place, "logicalType"), f"{field}: is {column_type.sql}, by default for logicalType {prop.logicalType}")
    elif prop.logicalType and prop.logicalType not in column_type.logical:
        mistakes.tell(
            (*place, "logicalType"), f"{field}: logicalType {prop.logicalType}: the column is {column_type.sql}, of any content"
        )
    own: Place = (*place, "customProperties")
    given = Given(prop.customProperties or [], COLUMN_SETTINGS, mistakes, own, f"{field}: customProperties: ")
    spelling = _spelling(given, general, f"{field}: customProperties: ")
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
    )


def _spelling(given: Given, general: Spelling, field: str) -> Spelling | None:
    try:
        return read_spelling({name: given.get(name) for name in SPELLING_SETTINGS if name in given}, general)
    except ValueError as error:
        # Each of these messages begins with its setting.
        given.note(str(error).partition(":")[0], f"{field}{error}")
        return None


def _name(where: str, prop: SchemaProperty, *, has_key: bool) -> str:
    """What the table calls a column; the source may call it otherwise."""
    name = table_name_of(prop)
    if not name:
        raise MistakeError(f"{where}.name", "is missing; write what the header of the source calls the column")
    if prop.name is not None and any(character in prop.name for character in "\r\n"):
        raise MistakeError(f"{where}.name", f"got {prop.name!r}; write the name as the header has it, which is one line")
    suggestion = suggested_name(name)
    if not IDENTIFIER.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        field = "physicalName" if prop.physicalName else "name"
        raise MistakeError(
            f"{where}.{field}",
            f"a column of the table must be called {NAME_RULE.format(MAX_NAME_LENGTH)}; got {name!r}; "
            + (f"write such as {suggestion!r}" if prop.physicalName else f"add such as physicalName: {suggestion}"),
        )
    taken = None
    if name in OWN_COLUMNS or (name == RECORD_ID and not has_key):
        taken = "is the name of a column that batchstream adds"
    elif name in SYSTEM_COLUMNS:
        taken = "is the name of a system column of PostgreSQL"
    if taken:
        key = "primaryKey: true if it is the key, or " if name == RECORD_ID else ""
        raise MistakeError(
            f"column '{name}'", f"{taken}; add {key}another name for the table, such as physicalName: source_{name}"
        )
    return name


NAME_RULE = "lower-case letters, digits and underscores, at most {}, not beginning with a digit"


def suggested_name(name: str, max_length: int = MAX_NAME_LENGTH) -> str:
    """A name for PostgreSQL that resembles another one."""
    cleaned = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
    return (cleaned if IDENTIFIER.fullmatch(cleaned) else f"c_{cleaned}")[:max_length]
