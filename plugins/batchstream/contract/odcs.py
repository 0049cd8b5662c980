"""Reads a contract file in the Open Data Contract Standard (https://bitol-io.github.io/open-data-contract-standard/)."""

import re
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaObject, SchemaProperty
from pydantic import ValidationError

from batchstream.contract.model import RECORD_ID, Check, Column, Contract
from batchstream.contract.properties import ContractSettings, read_rules, read_settings
from batchstream.contract.quality import expected_row_count, read_check
from batchstream.contract.types import SUPPORTED, parse_type
from batchstream.errors import ContractError

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
MAX_NAME_LENGTH = 40
"""PostgreSQL cuts names at 63 bytes; ours get suffixes such as ``_created_at_idx`` and a load's id."""

OWN_COLUMNS = ("created_at", "updated_at", "load_id", "record_id")


class MistakeError(ValueError):
    """A field of the contract that breaks a rule."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")


def load_contract(path: Path) -> Contract:
    """Read and check a contract.

    Raises:
        ContractError: The file can't be read, or a field breaks a rule: file, field, rule, what was found, what to write.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a subclass of the safe one
        if not isinstance(document, dict):
            raise MistakeError("file", f"must be a mapping; got {type(document).__name__}; write an ODCS contract")
        return _contract(path, OpenDataContractStandard.model_validate(document))
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise ContractError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        got = "" if first["type"] == "missing" else f"; got {first['input']!r}"
        raise ContractError(f"{path}: {field}: {first['msg']}{got}; write what the standard says of this field") from error
    except ValueError as error:
        raise ContractError(f"{path}: {error}") from error


class _Loader(yaml.CSafeLoader):
    """Refuses a key that stands twice in a mapping, of which YAML would take the last without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping whose keys are unique."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key: Any = self.construct_object(key_node, deep=deep)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' stands twice", key_node.start_mark)
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _contract(path: Path, odcs: OpenDataContractStandard) -> Contract:
    if odcs.kind != "DataContract":
        raise MistakeError("kind", f"must be DataContract; got {odcs.kind!r}")
    if not odcs.version:
        raise MistakeError("version", "is missing; write the version of this contract, such as 1.0.0")
    if len(odcs.schema_ or []) != 1:
        raise MistakeError("schema", f"must hold exactly one table; got {len(odcs.schema_ or [])}; write one contract a table")
    table: SchemaObject = odcs.schema_[0]  # type: ignore[index]
    name = _identifier("schema[0].name", table.physicalName or table.name)
    settings = read_settings(path, name, odcs.customProperties or [])
    key, columns = _columns(table)
    expected, checks = _checks(table)
    return Contract(
        path=path,
        name=name,
        version=odcs.version,
        description=(odcs.description.purpose if odcs.description else None) or "",
        columns=columns,
        key=key,
        checks=checks,
        expected_records=expected,
        **_settings(settings),
    )


def _settings(settings: ContractSettings) -> dict[str, Any]:
    return {
        "source": settings.source,
        "topic": settings.topic,
        "rejected_records_allowed": settings.rejected_records_allowed,
        "schedule": settings.schedule,
    }


def _identifier(field: str, name: str | None) -> str:
    if not name or not IDENTIFIER.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise MistakeError(
            field,
            f"must be lower-case letters, digits and underscores, at most {MAX_NAME_LENGTH}, not beginning with a digit; "
            f"got {name!r}; write such as {_suggestion(name)!r}",
        )
    return name


def _suggestion(name: str | None) -> str:
    cleaned = re.sub(r"[^a-z0-9_]+", "_", (name or "my_name").lower()).strip("_")[:MAX_NAME_LENGTH]
    return cleaned if IDENTIFIER.fullmatch(cleaned) else f"c_{cleaned}"[:MAX_NAME_LENGTH]


def _columns(table: SchemaObject) -> tuple[str | None, tuple[Column, ...]]:
    if not table.properties:
        raise MistakeError("schema[0].properties", "is empty; write a property for each column of the source, in its order")
    keys = [prop for prop in table.properties if prop.primaryKey]
    if len(keys) > 1:
        names = ", ".join(str(prop.name) for prop in keys)
        raise MistakeError("schema[0].properties", f"primaryKey must stand at one column at most; got {names}; keep one")
    if keys and not keys[0].required:
        raise MistakeError(f"column '{keys[0].name}'", "a primaryKey can't be NULL; write required: true")
    columns = tuple(_column(number, prop, has_key=bool(keys)) for number, prop in enumerate(table.properties))
    names = [column.name for column in columns]
    for column in columns:
        if names.count(column.name) > 1:
            raise MistakeError(f"column '{column.name}'", "stands twice; write each column once")
    return (keys[0].physicalName or keys[0].name) if keys else None, columns


def _column(number: int, prop: SchemaProperty, *, has_key: bool) -> Column:
    name = _identifier(f"schema[0].properties[{number}].name", prop.physicalName or prop.name)
    field = f"column '{name}'"
    if name in OWN_COLUMNS or (name == RECORD_ID and not has_key):
        raise MistakeError(field, "is the name of a column that batchstream adds; write another name")
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
    return Column(name, column_type, nullable=not prop.required, indexed=indexed, rules=rules)


def _checks(table: SchemaObject) -> tuple[int | None, tuple[Check, ...]]:
    rules: list[tuple[str, DataQuality, str | None]] = [
        (f"schema[0].quality[{number}]", rule, None) for number, rule in enumerate(table.quality or [])
    ]
    for prop in table.properties or []:
        column = prop.physicalName or prop.name
        rules += [(f"column '{column}': quality[{number}]", rule, column) for number, rule in enumerate(prop.quality or [])]
    checks: list[Check] = []
    expected: int | None = None
    for field, rule, column in rules:
        try:
            check = read_check(rule, column)
        except ValueError as error:
            raise MistakeError(field, str(error)) from error
        if check is not None:
            checks.append(check)
        if column is None and expected_row_count(rule) is not None:
            expected = expected_row_count(rule)
    return expected, tuple(checks)
