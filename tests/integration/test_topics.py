"""The topic of a contract on a real broker: made once, compared ever after, and told from another one of its name."""

import json
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec, ResourceType

from batchstream.contract.model import Topic
from batchstream.errors import ConnectionSettingsError, DeliveryError, TerminalError, TopicError
from batchstream.kafka.topics import ensure_topic, identity
from batchstream.local import ports
from batchstream.local.installation import Installation

WEEK = 7 * 24 * 60 * 60 * 1000
START_SECONDS = 30
UNREACHABLE_SECONDS = 20


@pytest.fixture
def kafka(installation: Installation) -> dict[str, Any]:
    """Settings as Airflow's connection has them."""
    return dict(json.loads(installation.environment()["AIRFLOW_CONN_BATCHSTREAM_KAFKA"])["extra"])


@pytest.fixture
def broker(installation: Installation) -> AdminClient:
    return AdminClient({**installation.kafka.client_settings, "log_level": 0})


@pytest.fixture
def topic(broker: AdminClient) -> Iterator[Topic]:
    """What a contract says of a topic that nobody has made yet."""
    name = f"test-{os.urandom(4).hex()}"
    yield Topic(name, partitions=1, replication_factor=1, retention_days=7)
    if name in broker.list_topics(timeout=15).topics:
        broker.delete_topics([name])[name].result()


def _make(broker: AdminClient, topic: Topic, partitions: int = 1, **config: str) -> None:
    """Make a topic as somebody else would, and wait until the broker knows it."""
    settings = {"retention.ms": str(WEEK), **{name.replace("_", "."): value for name, value in config.items()}}
    broker.create_topics([NewTopic(topic.name, partitions, 1, config=settings)])[topic.name].result()
    deadline = time.monotonic() + START_SECONDS
    while not _is_ready(broker, topic, partitions):
        assert time.monotonic() < deadline, "the broker doesn't know the topic"
        time.sleep(0.05)


def _is_ready(broker: AdminClient, topic: Topic, partitions: int) -> bool:
    """Whether the broker answers for every partition; it knows a new topic a moment before it leads its partitions."""
    if len(_partitions(broker, topic)) != partitions:
        return False
    wanted = {TopicPartition(topic.name, number): OffsetSpec.latest() for number in range(partitions)}
    try:
        return all(offset.result().offset >= 0 for offset in broker.list_offsets(wanted, request_timeout=5).values())
    except KafkaException:
        return False


def _partitions(broker: AdminClient, topic: Topic) -> dict[int, Any]:
    return dict(broker.list_topics(topic.name, timeout=15).topics[topic.name].partitions)


def _config(broker: AdminClient, topic: Topic) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic.name)
    entries = broker.describe_configs([resource])[resource].result()
    return {name: entry.value for name, entry in entries.items()}


def _send(kafka: dict[str, Any], topic: Topic, *partitions: int) -> None:
    producer = Producer(kafka)
    for partition in partitions:
        producer.produce(topic.name, value=b"[]", partition=partition)
    assert producer.flush(30) == 0


def test_a_missing_topic_is_made_as_the_contract_says(kafka: dict[str, Any], broker: AdminClient, topic: Topic) -> None:
    made = ensure_topic(kafka, topic)
    assert {number: partition.replicas for number, partition in _partitions(broker, topic).items()} == {0: [1]}
    config = _config(broker, topic)
    assert (config["retention.ms"], config["retention.bytes"], config["cleanup.policy"]) == (str(WEEK), "-1", "delete")
    assert made.end_offsets == {0: 0}
    assert made.topic_id == identity(kafka, topic).topic_id


def test_a_topic_is_made_so_that_it_loses_no_batch_whatever_the_brokers_defaults(
    kafka: dict[str, Any], broker: AdminClient, topic: Topic
) -> None:
    defaults = {"log.retention.bytes": "1000000", "log.cleanup.policy": "compact"}
    (number,) = broker.list_topics(timeout=15).brokers

    def alter(kind: AlterConfigOpType) -> None:
        entries = [ConfigEntry(name, value, incremental_operation=kind) for name, value in defaults.items()]
        resource = ConfigResource(ResourceType.BROKER, str(number), incremental_configs=entries)
        broker.incremental_alter_configs([resource])[resource].result()

    alter(AlterConfigOpType.SET)
    try:
        assert ensure_topic(kafka, topic).end_offsets == {0: 0}
        made = _config(broker, topic)
    finally:
        alter(AlterConfigOpType.DELETE)
    assert (made["retention.bytes"], made["cleanup.policy"]) == ("-1", "delete")


def test_a_topic_that_fits_is_left_alone(kafka: dict[str, Any], broker: AdminClient, topic: Topic) -> None:
    first = ensure_topic(kafka, topic)
    config = _config(broker, topic)
    _send(kafka, topic, 0, 0, 0)
    second = ensure_topic(kafka, topic)
    assert second.topic_id == first.topic_id
    assert second.end_offsets == {0: 3}
    assert _config(broker, topic) == config


def test_end_offsets_are_of_every_partition(kafka: dict[str, Any], broker: AdminClient, topic: Topic) -> None:
    wide = replace(topic, partitions=3)
    _make(broker, wide, 3)
    assert ensure_topic(kafka, wide).end_offsets == {0: 0, 1: 0, 2: 0}
    _send(kafka, wide, 1, 2, 2)
    assert ensure_topic(kafka, wide).end_offsets == {0: 0, 1: 1, 2: 2}


@pytest.mark.parametrize(
    ("partitions", "config", "said"),
    [
        (3, {}, "partitions is 3, the contract says 1"),
        (1, {"retention_ms": "3600000"}, "retention.ms is 3600000, the contract says 604800000"),
        (1, {"retention_ms": "-1"}, "retention.ms is -1, the contract says 604800000"),
        (1, {"min_insync_replicas": "2"}, "min.insync.replicas is 2, the contract says 1"),
        (1, {"cleanup_policy": "compact"}, "cleanup.policy is compact, the contract says delete"),
        (1, {"cleanup_policy": "compact,delete"}, "cleanup.policy is compact,delete, the contract says delete"),
        (1, {"retention_bytes": "1000000"}, "retention.bytes is 1000000, the contract says -1"),
        (1, {"max_message_bytes": "100000"}, "max.message.bytes is 100000, batches need 589824"),
        (
            2,
            {"cleanup_policy": "compact", "retention_ms": "1"},
            "partitions is 2, the contract says 1; retention.ms is 1, the contract says 604800000; "
            "cleanup.policy is compact, the contract says delete",
        ),
    ],
)
def test_a_topic_that_differs_is_refused_with_both_values(
    kafka: dict[str, Any], broker: AdminClient, topic: Topic, partitions: int, config: dict[str, str], said: str
) -> None:
    _make(broker, topic, partitions, **config)
    before = _config(broker, topic)
    with pytest.raises(TopicError) as refused:
        ensure_topic(kafka, topic)
    assert str(refused.value).startswith(f"topic '{topic.name}': {said}. Change the contract, or alter the topic with")
    assert "kafka-topics.sh" in str(refused.value)
    assert "kafka-configs.sh" in str(refused.value)
    assert "or delete it" in str(refused.value)
    # Nothing is mended behind its owner's back.
    assert _config(broker, topic) == before
    assert len(_partitions(broker, topic)) == partitions


@pytest.mark.parametrize(
    ("changes", "other", "said"),
    [
        ({"name": "{name}.x"}, "{name}_x", r"collides with existing topic: {name}_x .*; write another topic into the contract"),
        ({"replication_factor": 3}, None, r"replication factor.*topicReplicationFactor\), or start more brokers"),
        ({"name": "no topic's name"}, None, r"write another topic into the contract"),
        ({"retention_days": -5}, None, r"INVALID_CONFIG.*write other topic settings into the contract"),
    ],
    ids=["names that collide", "more copies than brokers", "a name that Kafka forbids", "a setting that it forbids"],
)
def test_a_topic_that_can_not_be_made_is_an_error_with_its_cause(
    kafka: dict[str, Any], broker: AdminClient, topic: Topic, changes: dict[str, Any], other: str | None, said: str
) -> None:
    def named(text: str) -> str:
        return text.replace("{name}", topic.name)

    try:
        if other:
            _make(broker, replace(topic, name=named(other)))
        changed = {name: named(value) if isinstance(value, str) else value for name, value in changes.items()}
        with pytest.raises(TopicError, match=named(said)) as refused:
            ensure_topic(kafka, replace(topic, **changed))
        assert "start the broker" not in str(refused.value).lower().replace("or start more brokers", "")
    finally:
        if other:
            broker.delete_topics([named(other)])[named(other)].result()


def test_a_setting_that_no_client_has_is_the_connections_fault(kafka: dict[str, Any], topic: Topic) -> None:
    with pytest.raises(ConnectionSettingsError, match=r"property: \"sasl.user\".*Mend the Kafka connection"):
        ensure_topic({**kafka, "sasl.user": "me"}, topic)


def test_what_the_message_says_to_do_helps(kafka: dict[str, Any], broker: AdminClient, topic: Topic) -> None:
    _make(broker, topic, 3)
    with pytest.raises(TopicError):
        ensure_topic(kafka, topic)
    assert ensure_topic(kafka, replace(topic, partitions=3)).end_offsets == {0: 0, 1: 0, 2: 0}
    broker.delete_topics([topic.name])[topic.name].result()
    assert ensure_topic(kafka, topic).end_offsets == {0: 0}


def test_a_topic_made_anew_has_another_id(kafka: dict[str, Any], broker: AdminClient, topic: Topic) -> None:
    ids = set()
    for _ in range(3):
        made = ensure_topic(kafka, topic)
        assert made.end_offsets == {0: 0}
        assert made.topic_id == identity(kafka, topic).topic_id
        ids.add(made.topic_id)
        _send(kafka, topic, 0)
        broker.delete_topics([topic.name])[topic.name].result()
    assert len(ids) == 3


def test_the_id_of_a_missing_topic_is_an_error(kafka: dict[str, Any], broker: AdminClient, topic: Topic) -> None:
    with pytest.raises(TopicError, match=rf"^topic '{topic.name}' is gone, .*: start a new run"):
        identity(kafka, topic)
    # Asking didn't make it.
    assert topic.name not in broker.list_topics(timeout=15).topics


def test_an_unreachable_broker_is_named_within_20_seconds(topic: Topic) -> None:
    def attempt(address: str) -> tuple[float, str]:
        begun = time.monotonic()
        with pytest.raises(DeliveryError) as refused:
            ensure_topic({"bootstrap.servers": address, "acks": "all", "log_level": 0}, topic)
        assert not isinstance(refused.value, TerminalError)
        return time.monotonic() - begun, str(refused.value)

    with socket.socket() as refusing, socket.socket() as silent, ThreadPoolExecutor(2) as threads:
        # One port on which nobody listens, and one where connections are taken but nothing is ever said.
        refusing.bind((ports.LOOPBACK, 0))
        silent.bind((ports.LOOPBACK, 0))
        silent.listen()
        addresses = [f"{ports.LOOPBACK}:{bound.getsockname()[1]}" for bound in (refusing, silent)]
        attempts = list(threads.map(attempt, addresses))
    for address, (seconds, message) in zip(addresses, attempts, strict=True):
        assert message.startswith(f"Kafka at {address}: ")
        assert message.endswith("Start the broker, or mend the address")
        assert seconds < UNREACHABLE_SECONDS
