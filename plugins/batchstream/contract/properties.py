"""What the standard has no field for: our ``customProperties`` of a contract, a closed vocabulary."""

import re
from pathlib import Path
from types import NoneType
from typing import NamedTuple

from open_data_contract_standard.model import CustomProperty, Server

from batchstream.contract.allowance import Allowance, parse_allowance
from batchstream.contract.find_source import find_source
from batchstream.contract.given import Given, Types
from batchstream.contract.mistake import Place
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Publish, Topic
from batchstream.contract.schedule import read_schedule
from batchstream.contract.source import Source
from batchstream.contract.source_settings import SOURCE_SETTINGS

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
    "recordFilter": str,
    "publish": str,
    "schedule": (str, NoneType),
}


class ContractSettings(NamedTuple):
    """The settings of a contract.

    Attributes:
        record_filter: Its place in the document, and the expression.
    """

    source: Source
    topic: Topic
    rejected_records_allowed: Allowance
    record_filter: tuple[Place, str] | None
    publish: Publish
    schedule: str | None


def default_topic(handle: str) -> str:
    """Name of the topic of a dataset whose contract names none."""
    return f"{handle.replace('_', '-')}-data"


def read_settings(
    path: Path, handle: str, properties: list[CustomProperty], servers: list[Server], mistakes: Mistakes
) -> ContractSettings | None:
    """The contract's own ``customProperties``; None if one has a mistake.

    Args:
        path: The contract.
        handle: Stands for the table, see `handle_of`.
        properties: As they stand in the contract.
        servers: Of the contract; one of them says where the source is if no property does.
        mistakes: Takes each name that is unknown, stands twice or is missing, and each value that is not of its type.
    """
    field = "customProperties"
    given = Given(properties, SETTINGS, mistakes, (field,), f"{field}: ")
    publish = given.read("publish", lambda: _publish(given.get("publish", Publish.MERGE)))
    topic = _topic(handle, given)
    source = find_source(path, given, servers, mistakes)
    allowed = given.read("rejectedRecordsAllowed", lambda: parse_allowance(given.get("rejectedRecordsAllowed", 0)))
    # None is a schedule, too.
    schedule = given.read("schedule", lambda: (read_schedule(given.get("schedule", "@daily")),))
    if publish is None or topic is None or source is None or allowed is None or schedule is None:
        return None
    return ContractSettings(source, topic, allowed, given.placed("recordFilter"), publish, *schedule)


def _topic(handle: str, given: Given) -> Topic | None:
    name = given.read("topic", lambda: _topic_name(given.get("topic", default_topic(handle))))
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


def _between(minimum: int, maximum: int, given: Given, name: str, default: int) -> int | None:
    def read() -> int:
        value: int = given.get(name, default)
        if not minimum <= value <= maximum:
            raise ValueError(f"got {value}; write at least {minimum} and at most {maximum}")
        return value

    return given.read(name, read)
