"""The contract of one table, out of a document that has no other: each field in turn, and all mistakes of all of them."""

from collections.abc import Mapping
from pathlib import Path

from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, SchemaProperty

from batchstream.contract.checks import read_checks
from batchstream.contract.column_types import ColumnType
from batchstream.contract.columns import read_columns, table_name_of
from batchstream.contract.effects import note_effects
from batchstream.contract.mistake import MistakeError
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Contract
from batchstream.contract.names import handle_of, why_impossible
from batchstream.contract.properties import read_settings
from batchstream.contract.source import SourceFormat
from batchstream.contract.spelling import USUAL
from batchstream.contract.transforms import read_transform

API_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
"""Versions 3 of the standard that exist; what a later one means is not known."""

RETIRED = "retired"

SCHEMA = "public"
"""Where published tables are."""


def read_table_contract(
    path: Path, odcs: OpenDataContractStandard, mistakes: Mistakes, types: Mapping[str, ColumnType]
) -> Contract | None:
    """The contract; None if it has mistakes without which there is none.

    Args:
        path: Of its file.
        odcs: What the standard's model makes of the document.
        mistakes: Takes what is wrong, and what has no effect.
        types: Enum types and domains of the database, by the names that the contract has for them.
    """
    with mistakes.at("kind"):
        if odcs.kind != "DataContract":
            raise MistakeError("kind", f"must be DataContract; got {odcs.kind!r}; write DataContract")
    with mistakes.at("apiVersion"):
        if odcs.apiVersion not in API_VERSIONS:
            known = ", ".join(API_VERSIONS)
            raise MistakeError("apiVersion", f"must be one of {known}; got {odcs.apiVersion!r}; write v3.1.0")
    with mistakes.at("version"):
        if not odcs.version:
            raise MistakeError("version", "is missing; write the version of this contract, such as 1.0.0")
    table = mistakes.read(lambda: _table(odcs), "schema")
    name = mistakes.read(lambda: _table_name(table), "schema", 0, "name") if table else None
    settings = read_settings(path, handle_of(name or ""), odcs.customProperties or [], odcs.servers or [], mistakes)
    note_effects(odcs, mistakes)
    if odcs.status == RETIRED:
        mistakes.tell(("status",), "status: retired: the DAG has no schedule, and is started by hand only")
    elif odcs.status not in (None, "active"):
        mistakes.tell(("status",), f"status: {odcs.status}: has no effect: the data set is loaded as an active one")
    if table is None:
        return None
    columns = read_columns(table, settings.source.spelling if settings else USUAL, types, mistakes)
    transform = read_transform(columns.inputs, columns.derived, settings.record_filter if settings else None, mistakes)
    if settings and settings.source.format is SourceFormat.WHITESPACE:
        _refuse_blanks(table.properties or [], mistakes)
    expected, checks = read_checks(name or "", table, columns.keys, mistakes)
    if name is None or settings is None:
        return None
    return Contract(
        path=path,
        name=name,
        version=odcs.version or "",
        description=(odcs.description.purpose if odcs.description else None) or "",
        columns=columns.stored,
        keys=columns.keys,
        checks=checks,
        # With a filter the rule is about the table only.
        expected_records=None if settings.record_filter else expected,
        source=settings.source,
        topic=settings.topic,
        rejected_records_allowed=settings.rejected_records_allowed,
        publish=settings.publish,
        schedule=None if odcs.status == RETIRED else settings.schedule,
        transform=transform,
    )


def _table(odcs: OpenDataContractStandard) -> SchemaObject:
    if not odcs.schema_:
        raise MistakeError("schema", "must hold a table; got none; write one with its columns")
    return odcs.schema_[0]


def _table_name(table: SchemaObject) -> str:
    """The name as it stands; in a physicalName a schema may stand before it, as everybody writes it."""
    field, name = "schema[0].physicalName", table.physicalName
    if name is None:
        field, name = "schema[0].name", table.name or ""
    elif "." in name:
        schema, _, name = name.partition(".")
        if schema != SCHEMA:
            raise MistakeError(
                field,
                f"got {table.physicalName!r}, a table of schema '{schema}', but tables are in schema '{SCHEMA}'; write "
                f"{SCHEMA}.{name}; a table whose own name has a dot is {SCHEMA}.{table.physicalName}",
            )
    if not name:
        raise MistakeError(field, "is missing; write the name of the table")
    if why := why_impossible(name):
        raise MistakeError(field, why)
    return name


def _refuse_blanks(properties: list[SchemaProperty], mistakes: Mistakes) -> None:
    for number, prop in enumerate(properties):
        name = (table_name_of(prop) if prop.name is None else prop.name).strip()
        if mistakes.any_below(("schema", 0, "properties", number, "name")):
            continue
        if name.encode().split() != [name.encode()]:
            mistakes.note(
                ("schema", 0, "properties", number, "name"),
                f"column '{table_name_of(prop)}': name: got {name!r}, but blanks separate the names of a header whose "
                "sourceFormat is whitespace; write a name without blanks",
            )
