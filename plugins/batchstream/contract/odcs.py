"""Reads a contract file in the Open Data Contract Standard (https://bitol-io.github.io/open-data-contract-standard/)."""

import stat
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaObject
from pydantic import ValidationError

from batchstream.contract.columns import read_columns, table_name_of
from batchstream.contract.document import MAX_SIZE, read_document
from batchstream.contract.mistake import MistakeError, clipped
from batchstream.contract.model import Check, Contract, SourceFormat
from batchstream.contract.names import handle_of, why_impossible
from batchstream.contract.properties import ContractSettings, read_settings
from batchstream.contract.quality import expected_row_count, no_duplicates, read_check
from batchstream.contract.strict import unknown_fields
from batchstream.errors import ContractError, errors_about

SCHEMA = "public"
"""Where published tables are."""

MAX_RULES = 5000
"""PostgreSQL measures them in one statement, for which more would be too complex."""

MAX_QUERIES_LENGTH = 100_000
"""Of all rules of type sql: to look at them takes a second for 50,000 characters."""


def load_contract(path: Path) -> Contract:
    """Read and check a contract file.

    Raises:
        ContractError: The file can't be read, or a field breaks a rule: file, field, rule, what was found, what to write.
    """
    return parse_contract(contract_text(path), path)


def contract_text(path: Path) -> str:
    """The text of a contract file.

    Raises:
        ContractError: The file can't be read, is too large or not UTF-8.
    """
    with errors_about(path=str(path)):
        try:
            # A pipe or a device would keep everyone waiting, also those who want another contract.
            if not stat.S_ISREG(path.stat().st_mode):
                raise ContractError(f"{path}: is no regular file; write the contract into one")
            with path.open("rb") as file:
                content = file.read(MAX_SIZE + 1)
            if len(content) > MAX_SIZE:
                raise ContractError(f"{path}: a contract has at most {MAX_SIZE:,} bytes; shorten it")
            return content.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ContractError(f"{path}: can't be read: {error}; write a UTF-8 file that Airflow may read") from error


def parse_contract(text: str, path: Path) -> Contract:
    """Check the text of a contract.

    Args:
        text: The contract, such as the ledger keeps it for a load.
        path: The file that it was read from, which need not hold this text any more: named in messages, and where
            ``sourcePath`` begins.

    Raises:
        ContractError: A field breaks a rule: file, field, rule, what was found, what to write.
    """
    with errors_about(path=str(path)):
        try:
            document = read_document(text)
            if not isinstance(document, dict):
                raise MistakeError("file", f"must be a mapping; got {type(document).__name__}; write an ODCS contract")
            odcs = OpenDataContractStandard.model_validate(document)
            for unknown in unknown_fields(odcs, document):
                raise ValueError(unknown)
            return _contract(path, odcs)
        except yaml.YAMLError as error:
            why = " ".join(str(error).split()).replace(' in "<unicode string>",', ",")
            raise ContractError(
                f"{path}: is not YAML: {why}; mend the file; a value that begins with such as * or @ needs quotes"
            ) from error
        except ValidationError as error:
            raise ContractError(f"{path}: {clipped(_standard_mistake(error))}") from error
        except ValueError as error:
            raise ContractError(f"{path}: {clipped(str(error))}") from error


def _standard_mistake(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).removeprefix(".")
    got = first["input"]
    if first["type"] == "string_type" and not isinstance(got, list | dict):
        return f"{field}: must be a text; got {got!r}; put what you wrote in quotes"
    return f"{field}: {first['msg']}; got {got!r}; write what the standard says of this field"


def _contract(path: Path, odcs: OpenDataContractStandard) -> Contract:
    if odcs.kind != "DataContract":
        raise MistakeError("kind", f"must be DataContract; got {odcs.kind!r}; write DataContract")
    if not (odcs.apiVersion or "").startswith("v3."):
        raise MistakeError("apiVersion", f"must be a version 3 of the standard; got {odcs.apiVersion!r}; write v3.1.0")
    if not odcs.version:
        raise MistakeError("version", "is missing; write the version of this contract, such as 1.0.0")
    if len(odcs.schema_ or []) != 1:
        raise MistakeError("schema", f"must hold exactly one table; got {len(odcs.schema_ or [])}; write one contract a table")
    table: SchemaObject = odcs.schema_[0]  # type: ignore[index]
    name = _table_name(table)
    settings = read_settings(path, handle_of(name), odcs.customProperties or [])
    keys, columns = read_columns(table)
    for column in columns:
        if settings.source.format is SourceFormat.WHITESPACE and column.source_name.encode().split() != [
            column.source_name.encode()
        ]:
            raise MistakeError(
                f"column '{column.name}'",
                f"name: got {column.source_name!r}, but blanks separate the names of a header whose sourceFormat is "
                "whitespace; write a name without blanks",
            )
    expected, checks = _checks(name, table, keys)
    return Contract(
        path=path,
        name=name,
        version=odcs.version,
        description=(odcs.description.purpose if odcs.description else None) or "",
        columns=columns,
        keys=keys,
        checks=checks,
        expected_records=expected,
        **_settings(settings),
    )


def _settings(settings: ContractSettings) -> dict[str, Any]:
    return {
        "source": settings.source,
        "topic": settings.topic,
        "rejected_records_allowed": settings.rejected_records_allowed,
        "publish": settings.publish,
        "schedule": settings.schedule,
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


def _checks(table_name: str, table: SchemaObject, keys: tuple[str, ...]) -> tuple[int | None, tuple[Check, ...]]:
    columns = [(table_name_of(prop), prop) for prop in table.properties or []]
    rules: list[tuple[str, DataQuality, str | None]] = [
        (f"schema[0].quality[{number}]", rule, None) for number, rule in enumerate(table.quality or [])
    ]
    for name, prop in columns:
        rules += [(f"column '{name}': quality[{number}]", rule, name) for number, rule in enumerate(prop.quality or [])]
    if (length := sum(len(rule.query or "") for _, rule, _ in rules)) > MAX_QUERIES_LENGTH:
        raise MistakeError("quality", f"all queries together have {length:,} characters; write at most {MAX_QUERIES_LENGTH:,}")
    # A dict, as a rule that stands twice is measured once.
    unique = [(name,) for name, prop in columns if prop.unique or (name,) == keys]
    checks = dict.fromkeys(no_duplicates(*names) for names in ([keys, *unique] if len(keys) > 1 else unique))
    if len(rules) > MAX_RULES:
        raise MistakeError("quality", f"got {len(rules):,} rules; write at most {MAX_RULES:,}")
    expected: int | None = None
    for field, rule, column in rules:
        try:
            check = read_check(rule, column, table_name)
        except ValueError as error:
            raise MistakeError(field, str(error)) from error
        if check is not None:
            checks[check] = None
        if column is None and expected_row_count(rule) is not None:
            expected = expected_row_count(rule)
    return expected, tuple(checks)
