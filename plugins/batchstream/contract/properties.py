"""What the standard has no field for: our ``customProperties``, a closed vocabulary, and the rules of a column."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, TypeVar

from open_data_contract_standard.model import CustomProperty, SchemaProperty

from batchstream.contract.allowance import Allowance, parse_allowance
from batchstream.contract.model import Publish, Rules, Source, Topic
from batchstream.contract.patterns import pattern_of
from batchstream.contract.quality import MAX_BOUND
from batchstream.contract.schedule import read_schedule
from batchstream.contract.source_settings import SOURCE_SETTINGS, read_source
from batchstream.contract.types import MAX_VARCHAR_LENGTH, ColumnType

DEFAULT_RETENTION_DAYS = 7
MAX_PARTITIONS = 10_000
MAX_REPLICATION_FACTOR = 100
MAX_RETENTION_DAYS = 36_500
TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
"""Kafka's own rule, org.apache.kafka.common.internals.Topic."""

# As the fields of the standard that are true or false take them.
_WORDS = {"yes": True, "on": True, "no": False, "off": False}

Types = type | tuple[type, ...]
T = TypeVar("T")

# Name → type of its value.
SETTINGS: dict[str, Types] = {
    **SOURCE_SETTINGS,
    "topic": str,
    "topicPartitions": int,
    "topicReplicationFactor": int,
    "topicMinInsyncReplicas": int,
    "topicRetentionDays": int,
    "rejectedRecordsAllowed": (int, str),
    "publish": str,
    "schedule": (str, NoneType),
}

# Option of the standard → field of Rules, the Python types of columns it is for, and the type of its value.
_RULES: dict[str, tuple[str, tuple[str, ...], Types]] = {
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
    rejected_records_allowed: Allowance
    publish: Publish
    schedule: str | None


def default_topic(handle: str) -> str:
    """Name of the topic of a dataset whose contract names none."""
    return f"{handle.replace('_', '-')}-data"


def read_settings(path: Path, handle: str, properties: list[CustomProperty]) -> ContractSettings:
    """The contract's own ``customProperties``.

    Raises:
        ValueError: A name is unknown, stands twice, is missing, or its value is not of its type.
    """
    given = _closed("customProperties", properties, SETTINGS)
    publish = given.get("publish", Publish.MERGE)
    if publish not in list(Publish):
        raise ValueError(f"customProperties: publish: got {publish!r}; write one of {', '.join(Publish)}")
    replicas = _between(1, MAX_REPLICATION_FACTOR, given, "topicReplicationFactor", 1)
    topic = Topic(
        name=given.get("topic", default_topic(handle)),
        partitions=_between(1, MAX_PARTITIONS, given, "topicPartitions", 1),
        replication_factor=replicas,
        # Kafka's own default is 1: acks=all would then mean one broker whenever the others lag, and its loss a lost batch.
        min_insync_replicas=_between(1, replicas, given, "topicMinInsyncReplicas", 2 if replicas > 2 else 1),
        retention_days=_between(1, MAX_RETENTION_DAYS, given, "topicRetentionDays", DEFAULT_RETENTION_DAYS),
    )
    if not TOPIC_NAME.fullmatch(topic.name) or topic.name in (".", ".."):
        raise ValueError(f"customProperties: topic: got {topic.name!r}; write letters, digits, '.', '_' and '-', at most 249")
    return ContractSettings(
        source=_read("", lambda: read_source(path, given)),
        topic=topic,
        rejected_records_allowed=_read(
            "rejectedRecordsAllowed: ", lambda: parse_allowance(given.get("rejectedRecordsAllowed", 0))
        ),
        publish=Publish(publish),
        schedule=_read("schedule: ", lambda: read_schedule(given.get("schedule", "@daily"))),
    )


def _read(setting: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise ValueError(f"customProperties: {setting}{error}") from error


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
            raise ValueError(f"logicalTypeOptions: {option} is not supported for {column_type.sql}; remove it")
        if column_type.python is int:
            value_types = int
        wanted = _said(value_types)
        if isinstance(value, bool) or not isinstance(value, value_types) or not _in_range(option, value, column_type):
            raise ValueError(f"logicalTypeOptions: {option}: got {value!r}; write a {wanted} that fits {column_type.sql}")
        if option == "pattern":
            _require_pattern(str(value))
        rules[field] = value
    _require_some_value(rules, column_type)
    allowed = _allowed(prop, column_type)
    if allowed and rules:
        raise ValueError("enum: can't be combined with logicalTypeOptions; keep one of them")
    return indexed, Rules(**rules, allowed=allowed)


def _require_pattern(pattern: str) -> None:
    try:
        pattern_of(pattern)
    except ValueError as error:
        raise ValueError(
            f"logicalTypeOptions: pattern: got {pattern!r}: {error}; write a regular expression in the syntax of RE2, "
            "https://github.com/google/re2/wiki/Syntax"
        ) from error


def _require_some_value(rules: dict[str, Any], column_type: ColumnType) -> None:
    """Refuse bounds between which no value lies."""
    step = 1 if column_type.python is int else 0
    at_least = [rules.get("minimum"), column_type.minimum, rules.get("min_length")]
    at_most = [rules.get("maximum"), column_type.maximum, rules.get("max_length"), column_type.max_length]
    above, below = rules.get("exclusive_minimum"), rules.get("exclusive_maximum")
    lows = [low for low in at_least if low is not None] + ([above + step] if above is not None else [])
    highs = [high for high in at_most if high is not None] + ([below - step] if below is not None else [])
    if lows and highs:
        low, high = max(lows), min(highs)
        if low > high or (not step and low == high and (low == above or high == below)):
            raise ValueError(f"logicalTypeOptions: no value lies between {low} and {high}; mend one of them")


def _allowed(prop: SchemaProperty, column_type: ColumnType) -> tuple[str | int, ...]:
    allowed: tuple[Any, ...] = tuple(one.value for one in prop.enum or [])
    if allowed and column_type.python not in (str, int):
        raise ValueError(f"enum: is not supported for {column_type.sql}; remove it")
    for value in allowed:
        if type(value) is not column_type.python or not _in_range("enum", value, column_type):
            raise ValueError(f"enum: got {value!r}; write a {_said(column_type.python)} that fits {column_type.sql}")
    return allowed


def _in_range(option: str, value: Any, column_type: ColumnType) -> bool:
    """Whether a bound, a length or an allowed value makes sense for a column's type."""
    if option == "pattern":
        return True
    if isinstance(value, str):
        return column_type.max_length is None or len(value) <= column_type.max_length
    if column_type.python is str:
        return bool(0 <= value <= MAX_VARCHAR_LENGTH)
    low, high = column_type.minimum, column_type.maximum
    return -MAX_BOUND < value < MAX_BOUND and (low is None or value >= low) and (high is None or value <= high)


def _closed(field: str, properties: list[CustomProperty], vocabulary: Mapping[str, Types]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for entry in properties:
        name, value = entry.property or "", entry.value
        if name not in vocabulary:
            raise ValueError(f"{field}: '{name}' is not known; write one of {', '.join(vocabulary)}")
        if name in given:
            raise ValueError(f"{field}: '{name}' stands twice; write it once")
        if vocabulary[name] is bool:
            value = _WORDS.get(value, value) if isinstance(value, str) else value
        if not isinstance(value, vocabulary[name]) or (isinstance(value, bool) and vocabulary[name] is not bool):
            quotes = ", in quotes" if vocabulary[name] is str and not isinstance(value, list | dict) else ""
            raise ValueError(f"{field}: {name}: got {value!r}; write a {_said(vocabulary[name])}{quotes}")
        given[name] = value
    return given


def _between(minimum: int, maximum: int, given: dict[str, Any], name: str, default: int) -> int:
    value: int = given.get(name, default)
    if not minimum <= value <= maximum:
        raise ValueError(f"customProperties: {name}: got {value}; write at least {minimum} and at most {maximum}")
    return value


def _said(types: type | tuple[type, ...]) -> str:
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", NoneType: "null"}
    return " or ".join(names[one] for one in (types if isinstance(types, tuple) else (types,)))
