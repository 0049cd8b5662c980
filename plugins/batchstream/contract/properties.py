"""What the standard has no field for: our ``customProperties``, a closed vocabulary, and the rules of a column."""

import re
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from open_data_contract_standard.model import CustomProperty, SchemaProperty

from batchstream.contract.allowance import Allowance, parse_allowance
from batchstream.contract.given import Given, Types, worded
from batchstream.contract.mistake import Place
from batchstream.contract.mistakes import Mistakes
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


def default_topic(dataset: str) -> str:
    """Name of the topic of a dataset whose contract names none."""
    return f"{dataset.replace('_', '-')}-data"


def read_settings(path: Path, name: str, properties: list[CustomProperty], mistakes: Mistakes) -> ContractSettings | None:
    """The contract's own ``customProperties``; None if one has a mistake.

    Args:
        path: The contract.
        name: Of the dataset.
        properties: As they stand in the contract.
        mistakes: Takes each name that is unknown, stands twice or is missing, and each value that is not of its type.
    """
    field = "customProperties"
    given = Given(properties, SETTINGS, mistakes, (field,), f"{field}: ")
    publish = given.read("publish", lambda: _publish(given.get("publish", Publish.MERGE)))
    topic = _topic(name, given)
    source = _source(path, given)
    allowed = given.read("rejectedRecordsAllowed", lambda: parse_allowance(given.get("rejectedRecordsAllowed", 0)))
    # None is a schedule, too.
    schedule = given.read("schedule", lambda: (read_schedule(given.get("schedule", "@daily")),))
    if publish is None or topic is None or source is None or allowed is None or schedule is None:
        return None
    return ContractSettings(source, topic, allowed, publish, *schedule)


def _topic(dataset: str, given: Given) -> Topic | None:
    name = given.read("topic", lambda: _topic_name(given.get("topic", default_topic(dataset))))
    partitions = _between(1, MAX_PARTITIONS, given, "topicPartitions", 1)
    replicas = _between(1, MAX_REPLICATION_FACTOR, given, "topicReplicationFactor", 1)
    # Kafka's own default is 1: acks=all would then mean one broker whenever the others lag, and its loss a lost batch.
    in_sync = replicas and _between(1, replicas, given, "topicMinInsyncReplicas", 2 if replicas > 2 else 1)
    days = _between(1, MAX_RETENTION_DAYS, given, "topicRetentionDays", DEFAULT_RETENTION_DAYS)
    if name is None or partitions is None or replicas is None or in_sync is None or days is None:
        return None
    return Topic(name, partitions, replicas, days, in_sync)


def _topic_name(name: str) -> str:
    if not TOPIC_NAME.fullmatch(name) or name in (".", ".."):
        raise ValueError(f"got {name!r}; write letters, digits, '.', '_' and '-', at most 249")
    return name


def _publish(word: str) -> Publish:
    if word not in list(Publish):
        raise ValueError(f"got {word!r}; write one of {', '.join(Publish)}")
    return Publish(word)


def _source(path: Path, given: Given) -> Source | None:
    """The source; after a mistake of a setting, the others are read without that."""
    left = {name: given.get(name) for name in SOURCE_SETTINGS if name in given}
    if given.stands("sourcePath"):
        left.setdefault("sourcePath", "path")
    while True:
        try:
            source = read_source(path, left)
        except ValueError as error:
            # Each of these messages begins with its setting.
            setting = str(error).partition(":")[0]
            given.note(setting, f"customProperties: {error}")
            if setting not in left:
                return None
            del left[setting]
            if setting == "sourcePath":
                left[setting] = "path"
        else:
            return source


def read_rules(prop: SchemaProperty, column_type: ColumnType, mistakes: Mistakes, place: Place, field: str) -> tuple[bool, Rules]:
    """Whether a column is indexed, and what each of its values has to keep.

    Args:
        prop: The column.
        column_type: Its type.
        mistakes: Takes each option that is unknown, not for columns of this type, or has a value without a meaning.
        place: Of the column in the document.
        field: What messages call it.
    """
    own = (*place, "customProperties")
    indexed = Given(prop.customProperties or [], {"indexed": bool}, mistakes, own, f"{field}: customProperties: ").get("indexed")
    rules: dict[str, Any] = {}
    for option, value in (prop.logicalTypeOptions or {}).items():
        with mistakes.at(*place, "logicalTypeOptions", option, field=field):
            rules[_option(option, value, column_type)] = value
    with mistakes.at(*place, "logicalTypeOptions", field=field):
        _require_some_value(rules, column_type)
    allowed = mistakes.read(lambda: _allowed(prop, column_type, rules), *place, "enum", field=field)
    return bool(indexed), Rules(**rules, allowed=allowed or ())


def _option(option: str, value: Any, column_type: ColumnType) -> str:
    """The field of `Rules` that an option fills."""
    if option not in _RULES:
        raise ValueError(f"logicalTypeOptions: {option} is not supported; use one of {', '.join(_RULES)}")
    field, python_types, value_types = _RULES[option]
    if column_type.python.__name__ not in python_types:
        raise ValueError(f"logicalTypeOptions: {option} is not supported for {column_type.sql}; remove it")
    if column_type.python is int:
        value_types = int
    if isinstance(value, bool) or not isinstance(value, value_types) or not _in_range(option, value, column_type):
        raise ValueError(
            f"logicalTypeOptions: {option}: got {value!r}; write a {worded(value_types)} that fits {column_type.sql}"
        )
    if option == "pattern":
        _require_pattern(str(value))
    return field


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


def _allowed(prop: SchemaProperty, column_type: ColumnType, rules: dict[str, Any]) -> tuple[str | int, ...]:
    allowed: tuple[Any, ...] = tuple(one.value for one in prop.enum or [])
    if allowed and column_type.python not in (str, int):
        raise ValueError(f"enum: is not supported for {column_type.sql}; remove it")
    for value in allowed:
        if type(value) is not column_type.python or not _in_range("enum", value, column_type):
            raise ValueError(f"enum: got {value!r}; write a {worded(column_type.python)} that fits {column_type.sql}")
    if allowed and rules:
        raise ValueError("enum: can't be combined with logicalTypeOptions; keep one of them")
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


def _between(minimum: int, maximum: int, given: Given, name: str, default: int) -> int | None:
    def read() -> int:
        value: int = given.get(name, default)
        if not minimum <= value <= maximum:
            raise ValueError(f"got {value}; write at least {minimum} and at most {maximum}")
        return value

    return given.read(name, read)
