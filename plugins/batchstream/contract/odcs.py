"""Reads a contract file in the Open Data Contract Standard (https://bitol-io.github.io/open-data-contract-standard/)."""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaObject, SchemaProperty

from batchstream.contract import tables
from batchstream.contract.column_types import NO_TYPES, ColumnType
from batchstream.contract.columns import read_columns, table_name_of
from batchstream.contract.document import MAX_SIZE, Document, read_located
from batchstream.contract.effects import lies_in_told, note_effects
from batchstream.contract.mistake import MistakeError, Place, clipped, said
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Check, Contract, SourceFormat
from batchstream.contract.names import handle_of, why_impossible
from batchstream.contract.properties import ContractSettings, read_settings
from batchstream.contract.quality import expected_row_count, no_duplicates, not_measured, read_check
from batchstream.contract.relationships import read_relationships
from batchstream.contract.spelling import USUAL
from batchstream.contract.standard import read_standard
from batchstream.contract.told import Told
from batchstream.errors import ContractError, errors_about

API_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
"""Versions 3 of the standard that exist; what a later one means is not known."""

RETIRED = "retired"

SCHEMA = "public"
"""Where published tables are."""

MAX_RULES = 5000
"""PostgreSQL measures them in one statement, for which more would be too complex."""

MAX_QUERIES_LENGTH = 100_000
"""Of all rules of type sql: to look at them takes a second for 50,000 characters."""


def load_contract(path: Path, table: str | None = None) -> Contract:
    """Read and check a contract file; see `parse_contract`.

    Raises:
        ContractError: The file can't be read, or a field breaks a rule: file, field, rule, what was found, what to write.
    """
    return parse_contract(contract_text(path), path, table)


def load_contracts(path: Path) -> tuple[Contract, ...]:
    """The same for each table of the file."""
    return parse_contracts(contract_text(path), path)


def load_tables(path: Path) -> "ReadTables":
    """The same for each table of the file that has no mistake, and the mistakes of the others.

    Raises:
        ContractError: The file can't be read, or has no tables that could be told from one another.
    """
    return read_tables(contract_text(path), path)


def contract_text(path: Path) -> str:
    """The text of a contract file.

    Raises:
        ContractError: The file can't be read, is too large or not UTF-8.
    """
    with errors_about(path=str(path)):
        try:
            # A pipe or a device would keep everyone waiting, also those who want another contract.
            if not stat.S_ISREG(path.stat().st_mode):
                raise ContractError(Told(path, "is no regular file; write the contract into one"))
            with path.open("rb") as file:
                content = file.read(MAX_SIZE + 1)
            if len(content) > MAX_SIZE:
                raise ContractError(Told(path, f"a contract has at most {MAX_SIZE:,} bytes; shorten it"))
            return content.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ContractError(Told(path, f"can't be read: {error}; write a UTF-8 file that Airflow may read")) from error


def parse_contract(text: str, path: Path, table: str | None = None, types: Mapping[str, ColumnType] = NO_TYPES) -> Contract:
    """Check the text of a contract, and take one of its tables. A mistake in another table doesn't matter.

    Args:
        text: The contract, such as the ledger keeps it for a load.
        path: The file that it was read from, which need not hold this text any more: named in messages, and where
            ``sourcePath`` begins.
        table: Which table; it need not be named if there is only one.
        types: Enum types and domains of the database, by the names that the contract has for them.

    Raises:
        ContractError: Fields break a rule, all of which it tells: file, line, field, rule, what was found, what to write; or
            there is no such table.
    """
    return read_contract(text, path, table, types).contract


def parse_contracts(text: str, path: Path) -> tuple[Contract, ...]:
    """Check the text of a contract: one for each of its tables.

    Raises:
        ContractError: One of them has a mistake.
    """
    found = read_tables(text, path)
    if found.mistakes:
        with errors_about(path=str(path)):
            raise ContractError(*found.mistakes)
    return tuple(one.contract for one in found.valid)


class ReadContract(NamedTuple):
    """A contract, and what of its text has no effect.

    Attributes:
        contract: What the text says.
        told: A sentence for each field without effect here, and for each default that depends on other fields, with its line.
    """

    contract: Contract
    told: tuple[str, ...]


class ReadTables(NamedTuple):
    """The tables of a contract.

    Attributes:
        valid: Those without a mistake.
        mistakes: A message for each mistake of the others.
    """

    valid: tuple[ReadContract, ...]
    mistakes: tuple[str, ...]


def read_contract(text: str, path: Path, table: str | None = None, types: Mapping[str, ColumnType] = NO_TYPES) -> ReadContract:
    """The same as `parse_contract`, with what is worth to be told to the author of the contract."""
    found = read_tables(text, path, types)
    chosen = [read for read in found.valid if table in (None, read.contract.name)]
    with errors_about(path=str(path)):
        if found.mistakes and (table is None or not chosen):
            raise ContractError(*found.mistakes)
        if len(chosen) == 1:
            return chosen[0]
        held = clipped(", ".join(f"'{read.contract.name}'" for read in found.valid))
        wanted = "has several tables, and none is named" if table is None else f"has no table '{table}'"
        raise ContractError(f"{path}: schema: {wanted}; got {held}; name one of them")


def read_tables(text: str, path: Path, types: Mapping[str, ColumnType] = NO_TYPES) -> ReadTables:
    """Each table of a contract, and all mistakes of all of them at once.

    Raises:
        ContractError: The text is no contract at all.
    """
    found: list[ReadContract] = []
    mistakes: list[str] = []
    with errors_about(path=str(path)):
        for document in tables.each(_document(text, path)):
            try:
                found.append(_read_table(document, path, types))
            except ContractError as error:
                # What is said of the contract as a whole is said for each table.
                before = {*mistakes}
                mistakes += [mistake for mistake in error.mistakes if mistake not in before]
    return ReadTables(tuple(found), tuple(mistakes))


def _read_table(document: Document, path: Path, types: Mapping[str, ColumnType]) -> ReadContract:
    mistakes = Mistakes()
    for error in document.mistakes:
        # What only people read means what they read.
        if not lies_in_told(error.at):
            mistakes.note(error.at, f"{said(error.at)}: {error.rule}", unreadable=True)
    odcs = read_standard(document.value, mistakes)
    contract = _contract(path, odcs, mistakes, types) if odcs else None
    mistakes.raise_any(path, document)
    if contract is None:
        raise ContractError(Told(path, "can't be read by the standard's model; write what the standard says"))
    return ReadContract(contract, mistakes.told(document))


def _document(text: str, path: Path) -> Document:
    try:
        document = read_located(text)
        if not isinstance(document.value, dict):
            raise MistakeError("file", f"must be a mapping; got {type(document.value).__name__}; write an ODCS contract")
    except yaml.YAMLError as error:
        why = " ".join(str(error).split()).replace(' in "<unicode string>",', ",")
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        message = f"is not YAML: {why}; mend the file; a value that begins with such as * or @ needs quotes"
        raise ContractError(Told(path, message, None if mark is None else mark.line + 1)) from error
    except MistakeError as error:
        raise ContractError(Told(path, clipped(str(error) if error.line is None else error.rule), error.line)) from error
    return document


def _contract(path: Path, odcs: OpenDataContractStandard, mistakes: Mistakes, types: Mapping[str, ColumnType]) -> Contract | None:
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
    keys, columns = read_columns(table, settings.source.spelling if settings else USUAL, types, mistakes)
    if settings and settings.source.format is SourceFormat.WHITESPACE:
        _refuse_blanks(table.properties or [], mistakes)
    expected, checks = _checks(name or "", table, keys, mistakes)
    if name is None or settings is None:
        return None
    return Contract(
        path=path,
        name=name,
        version=odcs.version or "",
        description=(odcs.description.purpose if odcs.description else None) or "",
        columns=columns,
        keys=keys,
        checks=checks,
        expected_records=expected,
        **_settings(settings),
        schedule=None if odcs.status == RETIRED else settings.schedule,
    )


def _table(odcs: OpenDataContractStandard) -> SchemaObject:
    if not odcs.schema_:
        raise MistakeError("schema", "must hold a table; got none; write one with its columns")
    return odcs.schema_[0]


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


def _settings(settings: ContractSettings) -> dict[str, Any]:
    return {
        "source": settings.source,
        "topic": settings.topic,
        "rejected_records_allowed": settings.rejected_records_allowed,
        "publish": settings.publish,
    }


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


def _checks(
    table_name: str, table: SchemaObject, keys: tuple[str, ...], mistakes: Mistakes
) -> tuple[int | None, tuple[Check, ...]]:
    columns = [(table_name_of(prop), prop) for prop in table.properties or []]
    called = {prop.name or name: name for name, prop in columns}
    rules: list[tuple[Place, str, DataQuality, str | None]] = [
        (("schema", 0, "quality", number), f"schema[0].quality[{number}]", rule, None)
        for number, rule in enumerate(table.quality or [])
    ]
    for column_number, (name, prop) in enumerate(columns):
        rules += [
            (
                ("schema", 0, "properties", column_number, "quality", number),
                f"column '{name}': quality[{number}]",
                rule,
                name,
            )
            for number, rule in enumerate(prop.quality or [])
        ]
    # A dict, as a rule that stands twice is measured once.
    unique = [(name,) for name, prop in columns if prop.unique or (name,) == keys]
    checks = dict.fromkeys(no_duplicates(*names) for names in ([keys, *unique] if len(keys) > 1 else unique))
    relationships = mistakes.read(lambda: list(read_relationships(table, table_name, called)), "schema", 0) or []
    checks |= dict.fromkeys(relationships)
    expected: int | None = None
    # To look at more takes too long.
    few = mistakes.read(lambda: _require_few([rule.query or "" for _, _, rule, _ in rules]), "schema", 0)
    for place, field, rule, column in rules if few else ():
        if mistakes.any_below(place):
            continue
        with mistakes.at(*place, field=field):
            check = read_check(rule, column, table_name, called)
            if check is not None:
                checks[check] = None
            elif why := not_measured(rule):
                mistakes.tell(place, f"{field}: {rule.name or rule.type}: {why}")
            if column is None and expected_row_count(rule) is not None:
                expected = expected_row_count(rule)
    return expected, tuple(checks)


def _require_few(queries: list[str]) -> bool:
    if (length := sum(len(query) for query in queries)) > MAX_QUERIES_LENGTH:
        raise MistakeError("quality", f"all queries together have {length:,} characters; write at most {MAX_QUERIES_LENGTH:,}")
    if len(queries) > MAX_RULES:
        raise MistakeError("quality", f"got {len(queries):,} rules; write at most {MAX_RULES:,}")
    return True
