"""The columns of a contract: what the header of the source calls each, what the table calls it, and what it may hold."""

from collections import Counter

from open_data_contract_standard.model import SchemaObject, SchemaProperty

from batchstream.contract.mistake import MistakeError
from batchstream.contract.model import Column
from batchstream.contract.names import SYSTEM_COLUMNS, why_impossible
from batchstream.contract.properties import read_rules
from batchstream.contract.types import SUPPORTED, parse_type

MAX_COLUMNS = 1590
"""PostgreSQL allows 1,600 in a table, those of ours and those that were dropped included."""

MAX_KEYS = 32
"""PostgreSQL's own limit of columns in an index."""

NO_POSITION = -1
"""The standard's default of primaryKeyPosition."""

# Fields of a property that ask for something that is not done here; to ignore them would be a promise not kept.
_UNSUPPORTED = ("partitioned", "properties", "items", "map")


def read_columns(table: SchemaObject) -> tuple[tuple[str, ...], tuple[Column, ...]]:
    """Names of the key columns, in the order of the key, and all columns in the order of the source.

    Raises:
        MistakeError: A column breaks a rule.
    """
    if not table.properties:
        raise MistakeError("schema[0].properties", "is empty; write a property for each column of the source, in its order")
    if len(table.properties) > MAX_COLUMNS:
        raise MistakeError(
            "schema[0].properties",
            f"a table of PostgreSQL has at most 1,600 columns, of which batchstream needs a few; got {len(table.properties):,}; "
            f"write at most {MAX_COLUMNS:,}",
        )
    columns = tuple(_column(number, prop) for number, prop in enumerate(table.properties))
    name, times = Counter(column.name for column in columns).most_common(1)[0]
    if times > 1:
        raise MistakeError(f"column '{name}'", "stands twice; write each column once, under a physicalName of its own")
    return _keys(table.properties), columns


def _keys(properties: list[SchemaProperty]) -> tuple[str, ...]:
    """The key columns: by primaryKeyPosition those that have one, then the others as they stand."""
    positions: dict[int, str] = {}
    for prop in properties:
        position = prop.primaryKeyPosition
        if position is None or position == NO_POSITION:
            continue
        name = table_name_of(prop)
        if not prop.primaryKey:
            raise MistakeError(
                f"column '{name}'", f"primaryKeyPosition: got {position}; add primaryKey: true, or remove the position"
            )
        if position < 1:
            raise MistakeError(f"column '{name}'", f"primaryKeyPosition: got {position}; write 1 for the first column of the key")
        if position in positions:
            raise MistakeError(
                f"column '{name}'",
                f"primaryKeyPosition: got {position}, as for '{positions[position]}'; write another number for one of them",
            )
        positions[position] = name
    placed = [positions[position] for position in sorted(positions)]
    keys = (*placed, *(name for prop in properties if prop.primaryKey and (name := table_name_of(prop)) not in placed))
    if len(keys) > MAX_KEYS:
        raise MistakeError("schema[0].properties", f"got {len(keys)} columns with primaryKey; write at most {MAX_KEYS}")
    return keys


def table_name_of(prop: SchemaProperty) -> str:
    """What the table calls a column."""
    return prop.physicalName or prop.name or ""


def _column(number: int, prop: SchemaProperty) -> Column:
    name = _name(f"schema[0].properties[{number}]", prop)
    field = f"column '{name}'"
    for unsupported in _UNSUPPORTED:
        if getattr(prop, unsupported):
            raise MistakeError(field, f"{unsupported} is not supported: a column holds one plain value; remove it")
    if not prop.physicalType:
        raise MistakeError(field, f"physicalType is missing, and a type is never guessed; write one of {SUPPORTED}")
    try:
        column_type = parse_type(prop.physicalType)
    except ValueError as error:
        raise MistakeError(field, f"physicalType: {error}") from error
    if prop.logicalType and prop.logicalType not in column_type.logical:
        raise MistakeError(
            field,
            f"logicalType '{prop.logicalType}' does not agree with {column_type.sql}; write {' or '.join(column_type.logical)}",
        )
    try:
        indexed, rules = read_rules(prop, column_type)
    except ValueError as error:
        raise MistakeError(field, str(error)) from error
    return Column(
        name,
        column_type,
        nullable=not (prop.required or prop.primaryKey),
        indexed=indexed,
        rules=rules,
        source_name=name if prop.name is None else prop.name.strip(),
    )


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
