"""Reads a contract file in the Open Data Contract Standard (https://bitol-io.github.io/open-data-contract-standard/)."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaObject
from pydantic import ValidationError

from batchstream.contract.columns import IDENTIFIER, MAX_NAME_LENGTH, NAME_RULE, read_columns, suggested_name, table_name_of
from batchstream.contract.mistake import MistakeError, shown
from batchstream.contract.model import Check, Contract, SourceFormat
from batchstream.contract.properties import ContractSettings, read_settings
from batchstream.contract.quality import expected_row_count, no_duplicates, read_check
from batchstream.contract.strict import unknown_fields
from batchstream.errors import ContractError

MAX_DEPTH = 100
"""Levels of a contract; the standard needs fewer than ten."""

MAX_TABLE_NAME_LENGTH = 40
"""Leaves room for suffixes such as ``_created_at_idx`` and a load's id."""


def load_contract(path: Path) -> Contract:
    """Read and check a contract file.

    Raises:
        ContractError: The file can't be read, or a field breaks a rule: file, field, rule, what was found, what to write.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: can't be read: {error}; write a UTF-8 file that Airflow may read") from error
    return parse_contract(text, path)


def parse_contract(text: str, path: Path) -> Contract:
    """Check the text of a contract.

    Args:
        text: The contract, such as the ledger keeps it for a load.
        path: The file that it was read from, which need not hold this text any more: named in messages, and where
            ``sourcePath`` begins.

    Raises:
        ContractError: A field breaks a rule: file, field, rule, what was found, what to write.
    """
    try:
        document = _parsed(text)
        if not isinstance(document, dict):
            raise MistakeError("file", f"must be a mapping; got {type(document).__name__}; write an ODCS contract")
        odcs = OpenDataContractStandard.model_validate(document)
        for unknown in unknown_fields(odcs, document):
            raise ValueError(unknown)
        return _contract(path, odcs)
    except yaml.YAMLError as error:
        raise ContractError(f"{path}: is not YAML: {' '.join(str(error).split())}; mend the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).removeprefix(".")
        raise ContractError(
            f"{path}: {field}: {first['msg']}; got {first['input']!r}; write what the standard says of this field"
        ) from error
    except ValueError as error:
        raise ContractError(f"{path}: {error}") from error


def _parsed(text: str) -> Any:
    # libyaml's composer recurses in C, and the process would end without a word; its events don't.
    if text.count("[") + text.count("{") + text.count("- -") > MAX_DEPTH:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise yaml.YAMLError(f"more than {MAX_DEPTH} levels deep")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe one
    except (ValueError, LookupError) as error:
        # YAML guesses types: 2020-13-45 is a date to it, !!int '' a number.
        raise yaml.YAMLError(f"a value is none of its type ({error}), put it in quotes") from error


class _Loader(yaml.CSafeLoader):
    """Refuses a key that stands twice in a mapping, of which YAML would take the last without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping whose keys are unique."""
        pairs = list(node.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(pairs):
            self._refuse_repeated(pairs, deep)
        return mapping

    def _refuse_repeated(self, pairs: list[Any], deep: bool) -> None:
        seen: set[Any] = set()
        for key_node, _ in pairs:
            key: Any = self.construct_object(key_node, deep=deep)
            if not isinstance(key, Hashable):
                continue  # The base class says what is wrong with it.
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' stands twice", key_node.start_mark)
            seen.add(key)


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
    settings = read_settings(path, name, odcs.customProperties or [])
    key, columns = read_columns(table)
    for column in columns:
        if settings.source.format is SourceFormat.WHITESPACE and column.source_name.encode().split() != [
            column.source_name.encode()
        ]:
            raise MistakeError(
                f"column '{column.name}'",
                f"name: got {shown(column.source_name)}, but blanks separate the names of a header whose sourceFormat is "
                "whitespace; write a name without blanks",
            )
        if column.indexed and len(index := f"{name}_{column.name}_idx") > MAX_NAME_LENGTH:
            raise MistakeError(
                f"column '{column.name}'", f"its index {index} has more than {MAX_NAME_LENGTH} letters; write shorter names"
            )
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
        "publish": settings.publish,
        "schedule": settings.schedule,
    }


def _table_name(table: SchemaObject) -> str:
    name = table.physicalName or table.name
    if not name or not IDENTIFIER.fullmatch(name) or len(name) > MAX_TABLE_NAME_LENGTH:
        raise MistakeError(
            "schema[0].name",
            f"a table must be called {NAME_RULE.format(MAX_TABLE_NAME_LENGTH)}; got {shown(name)}; "
            f"write such as {suggested_name(name or 'my_name', MAX_TABLE_NAME_LENGTH)!r}",
        )
    return name


def _checks(table: SchemaObject) -> tuple[int | None, tuple[Check, ...]]:
    rules: list[tuple[str, DataQuality, str | None]] = [
        (f"schema[0].quality[{number}]", rule, None) for number, rule in enumerate(table.quality or [])
    ]
    for prop in table.properties or []:
        name = table_name_of(prop)
        rules += [(f"column '{name}': quality[{number}]", rule, name) for number, rule in enumerate(prop.quality or [])]
    checks = [no_duplicates(table_name_of(prop)) for prop in table.properties or [] if prop.primaryKey or prop.unique]
    expected: int | None = None
    for field, rule, column in rules:
        try:
            check = read_check(rule, column)
        except ValueError as error:
            raise MistakeError(field, str(error)) from error
        if check is not None and check not in checks:
            checks.append(check)
        if column is None and expected_row_count(rule) is not None:
            expected = expected_row_count(rule)
    return expected, tuple(checks)
