"""What the standard has no field for: our ``customProperties``, a closed vocabulary, and the rules of a column."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from open_data_contract_standard.model import CustomProperty, SchemaProperty

from batchstream.contract.model import Rules, Source, SourceFormat, Topic
from batchstream.contract.types import ColumnType

DEFAULT_RETENTION_DAYS = 7
TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
"""Kafka's own rule, org.apache.kafka.common.internals.Topic."""

# Name → type of its value.
_SETTINGS: dict[str, type] = {
    "sourcePath": str,
    "sourceFormat": str,
    "sourceDelimiter": str,
    "sourceNull": str,
    "topic": str,
    "topicPartitions": int,
    "topicReplicationFactor": int,
    "topicRetentionDays": int,
    "rejectedRecordsAllowed": int,
    "schedule": str,
}

# Option of the standard → field of Rules, the Python types of columns it is for, and the type of its value.
_RULES: dict[str, tuple[str, tuple[str, ...], type | tuple[type, ...]]] = {
    "minimum": ("minimum", ("int", "float", "Decimal"), (int, float)),
    "maximum": ("maximum", ("int", "float", "Decimal"), (int, float)),
    "exclusiveMinimum": ("exclusive_minimum", ("int", "float", "Decimal"), (int, float)),
    "exclusiveMaximum": ("exclusive_maximum", ("int", "float", "Decimal"), (int, float)),
    "minLength": ("min_length", ("str",), int),
    "maxLength": ("max_length", ("str",), int),
    "pattern": ("pattern", ("str",), str),
}


class ContractSettings(NamedTuple):
    """The settings of a contract."""

    source: Source
    topic: Topic
    rejected_records_allowed: int
    schedule: str | None


def read_settings(path: Path, name: str, properties: list[CustomProperty]) -> ContractSettings:
    """The contract's own ``customProperties``.

    Raises:
        ValueError: A name is unknown, stands twice, is missing, or its value is not of its type.
    """
    given = _closed("customProperties", properties, _SETTINGS)
    if "sourcePath" not in given:
        raise ValueError("customProperties: sourcePath is missing; write the source file, relative to the project's folder")
    source_format = given.get("sourceFormat", SourceFormat.CSV)
    if source_format not in list(SourceFormat):
        raise ValueError(f"customProperties: sourceFormat: got {source_format!r}; write one of {', '.join(SourceFormat)}")
    delimiter = given.get("sourceDelimiter", ",")
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ValueError(f"customProperties: sourceDelimiter: got {delimiter!r}; write one character, such as ';'")
    topic = Topic(
        name=given.get("topic", f"{name.replace('_', '-')}-data"),
        partitions=_at_least(1, given, "topicPartitions", 1),
        replication_factor=_at_least(1, given, "topicReplicationFactor", 1),
        retention_days=_at_least(1, given, "topicRetentionDays", DEFAULT_RETENTION_DAYS),
    )
    if not TOPIC_NAME.fullmatch(topic.name) or topic.name in (".", ".."):
        raise ValueError(f"customProperties: topic: got {topic.name!r}; write letters, digits, '.', '_' and '-', at most 249")
    # dags/contracts/NAME.odcs.yaml → the folder that holds dags/.
    source_path = path.resolve().parent.parent.parent / given["sourcePath"]
    return ContractSettings(
        source=Source(source_path, SourceFormat(source_format), delimiter, given.get("sourceNull", "")),
        topic=topic,
        rejected_records_allowed=_at_least(0, given, "rejectedRecordsAllowed", 0),
        schedule=given.get("schedule", "@daily") or None,
    )


def read_rules(prop: SchemaProperty, column_type: ColumnType) -> tuple[bool, Rules]:
    """Whether a column is indexed, and what each of its values has to keep.

    Raises:
        ValueError: An option is unknown, or not for columns of this type.
    """
    indexed = _closed("customProperties", prop.customProperties or [], {"indexed": bool}).get("indexed", False)
    rules: dict[str, Any] = {}
    for option, value in (prop.logicalTypeOptions or {}).items():
        if option not in _RULES:
            raise ValueError(f"logicalTypeOptions: {option} is not supported; use one of {', '.join(_RULES)}")
        field, python_types, value_types = _RULES[option]
        if column_type.python.__name__ not in python_types:
            raise ValueError(f"logicalTypeOptions: {option} has no meaning for {column_type.sql}; remove it")
        if isinstance(value, bool) or not isinstance(value, value_types):
            raise ValueError(f"logicalTypeOptions: {option}: got {value!r}; write a {_said(value_types)}")
        rules[field] = value
    if "pattern" in rules:
        try:
            re.compile(rules["pattern"])
        except re.error as error:
            raise ValueError(
                f"logicalTypeOptions: pattern: got {rules['pattern']!r}, {error}; write a regular expression"
            ) from error
    allowed = tuple(getattr(prop, "enum", None) or ())
    if any(not isinstance(value, str | int | float) or isinstance(value, bool) for value in allowed):
        raise ValueError("enum: write texts or numbers")
    if allowed and column_type.python not in (str, int):
        raise ValueError(f"enum: has no meaning for {column_type.sql}; remove it")
    return indexed, Rules(**rules, allowed=allowed)


def _closed(field: str, properties: list[CustomProperty], vocabulary: dict[str, type]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for entry in properties:
        name, value = entry.property, entry.value
        if name not in vocabulary:
            raise ValueError(f"{field}: '{name}' is not known; use one of {', '.join(vocabulary)}")
        if name in given:
            raise ValueError(f"{field}: '{name}' stands twice; write it once")
        if not isinstance(value, vocabulary[name]) or (isinstance(value, bool) and vocabulary[name] is not bool):
            raise ValueError(f"{field}: {name}: got {value!r}; write a {_said(vocabulary[name])}")
        given[name] = value
    return given


def _at_least(minimum: int, given: dict[str, Any], name: str, default: int) -> int:
    value: int = given.get(name, default)
    if value < minimum:
        raise ValueError(f"customProperties: {name}: got {value}; write at least {minimum}")
    return value


def _said(types: type | tuple[type, ...]) -> str:
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return " or ".join(names[one] for one in (types if isinstance(types, tuple) else (types,)))
