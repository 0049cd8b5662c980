"""The topic of a contract: made if missing, otherwise compared with what the contract says."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from batchstream.contract.model import Topic
from batchstream.errors import TopicError, errors_about
from batchstream.kafka.errors import REFUSED, UNSETTLED, explained, is_of_the_connection
from batchstream.records.source_reader import MAX_BATCH_BYTES

KAFKA_VARIABLE = "BATCHSTREAM_KAFKA"
"""Environment variable that carries the Kafka connection's settings as JSON to the Spark driver; never a command line."""

REQUEST_TIMEOUT_SECONDS = 15
MILLISECONDS_PER_DAY = 24 * 60 * 60 * 1000

LEAST_MESSAGE_BYTES = MAX_BATCH_BYTES + 64 * 1024
"""What a topic has to take, or a load fails in its midst: a full batch, its key, and what Kafka writes around them."""


class TopicState(NamedTuple):
    """A topic as a load finds it.

    Attributes:
        topic_id: Changes when a topic is deleted and made anew.
        end_offsets: Next offset of each partition; the load's own messages start here.
    """

    topic_id: str
    end_offsets: dict[int, int]


def ensure_topic(settings: Mapping[str, Any], topic: Topic) -> TopicState:
    """Make the topic, or see to it that the one which exists is what the contract says, and loses no record.

    Args:
        settings: librdkafka's, of an Airflow connection: at least ``bootstrap.servers``.
        topic: What the contract says.

    Raises:
        TopicError: The topic exists with other settings than the contract's, or can't be made; see the message.
        ConnectionSettingsError: The brokers refused the log-in.
        DeliveryError: No broker can be reached, or none is ready.
    """
    with _asking(settings, topic.name) as admin:
        # Asked first: whoever may not make topics may use one that was made for him.
        if not _exists(admin, topic):
            _create(admin, topic)
        return _settled_state(admin, topic)


class Identity(NamedTuple):
    """What a topic has to keep from the beginning of a load to its end.

    Attributes:
        topic_id: See `TopicState`.
        partitions: How many it has; a load knows no offset of one that was added.
    """

    topic_id: str
    partitions: int


def identity(settings: Mapping[str, Any], topic: Topic) -> Identity:
    """Look at a topic, to tell it from another one of the same name and from what it was.

    Raises:
        TopicError: The topic is gone.
        ConnectionSettingsError: The brokers refused the log-in.
        DeliveryError: No broker can be reached, or none is ready.
    """
    with _asking(settings, topic.name) as admin:
        try:
            found = _described(admin, topic)
            return Identity(str(found.topic_id), len(found.partitions))
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
            raise TopicError(
                f"topic '{topic.name}' is gone, and with it what was sent: start a new run, which makes it"
            ) from error


def client_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a connection that any client may have; producer's own are left out, as librdkafka warns of them."""
    producer_only = (
        "enable.idempotence",
        "acks",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "linger.ms",
        "compression.type",
    )
    return {name: value for name, value in settings.items() if name not in producer_only}


@contextmanager
def _asking(settings: Mapping[str, Any], topic: str) -> Iterator[AdminClient]:
    """A client for questions about a topic; what Kafka says of them is raised as ours."""
    refusals: list[KafkaError] = []
    admin: AdminClient | None = None
    with errors_about(topic=topic):
        try:
            configuration: dict[str, Any] = {**client_settings(settings), "error_cb": refusals.append}
            admin = AdminClient(configuration)
            yield admin
        except KafkaException as error:
            cause = error.args[0]
            if admin is not None and is_of_the_connection(cause):
                # A client whose log-in is refused tries again until its request has timed out, and says why beside it.
                admin.poll(0)
                cause = next((refusal for refusal in refusals if refusal.code() in REFUSED), cause)
            raise explained(cause, settings, topic) from error


def _exists(admin: AdminClient, topic: Topic) -> bool:
    try:
        _described(admin, topic)
    except KafkaException as error:
        if error.args[0].code() in UNSETTLED:
            return False
        raise
    return True


def _create(admin: AdminClient, topic: Topic) -> None:
    config = {
        "retention.ms": topic.retention_days * MILLISECONDS_PER_DAY,
        "min.insync.replicas": topic.min_insync_replicas,
        # Whatever the brokers' own defaults are.
        "retention.bytes": -1,
        "cleanup.policy": "delete",
    }
    new = NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication_factor,
        config={name: str(value) for name, value in config.items()},
    )
    try:
        admin.create_topics([new], request_timeout=REQUEST_TIMEOUT_SECONDS)[topic.name].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _settled_state(admin: AdminClient, topic: Topic) -> TopicState:
    """Look at a topic; one that was made a moment ago may not be known to the broker yet, or have no leader."""
    deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
    while True:
        try:
            description = _described(admin, topic)
            _compare(admin, topic, description)
            return TopicState(str(description.topic_id), _end_offsets(admin, topic))
        except KafkaException as error:
            if error.args[0].code() not in UNSETTLED or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _described(admin: AdminClient, topic: Topic) -> Any:
    futures = admin.describe_topics(TopicCollection([topic.name]), request_timeout=REQUEST_TIMEOUT_SECONDS)
    return futures[topic.name].result()


def _compare(admin: AdminClient, topic: Topic, description: Any) -> None:
    resource = ConfigResource(ResourceType.TOPIC, topic.name)
    entries = admin.describe_configs([resource], request_timeout=REQUEST_TIMEOUT_SECONDS)[resource].result()
    # A service that is not Kafka itself may not have all of them.
    found = {name: entry.value for name, entry in entries.items() if entry.value is not None}
    found["partitions"] = str(len(description.partitions))
    found["replication factor"] = str(min(len(partition.replicas) for partition in description.partitions))
    expected = {
        "partitions": str(topic.partitions),
        "replication factor": str(topic.replication_factor),
        "min.insync.replicas": str(topic.min_insync_replicas),
        "retention.ms": str(topic.retention_days * MILLISECONDS_PER_DAY),
        # Any limit deletes the beginning of a load that is larger.
        "retention.bytes": "-1",
        # A compacted topic would drop batches whose keys repeat.
        "cleanup.policy": "delete",
    }
    if topic.replication_factor > 1:
        # A copy that lags would become the leader, without what was acknowledged meanwhile.
        expected["unclean.leader.election.enable"] = "false"
    differences = [
        f"{name} is {found[name]}, the contract says {value}"
        for name, value in expected.items()
        if found.get(name, value) != value
    ]
    if int(found.get("max.message.bytes", LEAST_MESSAGE_BYTES)) < LEAST_MESSAGE_BYTES:
        differences.append(f"max.message.bytes is {found['max.message.bytes']}, batches need {LEAST_MESSAGE_BYTES}")
    if differences:
        raise TopicError(
            f"topic '{topic.name}': {'; '.join(differences)}. Change the contract, or alter the topic with kafka-topics.sh and "
            "kafka-configs.sh, or delete it so that the next run makes it anew"
        )


def _end_offsets(admin: AdminClient, topic: Topic) -> dict[int, int]:
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    wanted = {TopicPartition(topic.name, partition): latest for partition in range(topic.partitions)}
    found = admin.list_offsets(wanted, request_timeout=REQUEST_TIMEOUT_SECONDS)
    return {partition.partition: int(future.result().offset) for partition, future in found.items()}
