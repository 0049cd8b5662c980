"""The topic of a contract: made if missing, otherwise compared with what the contract says."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from batchstream.contract.model import Topic
from batchstream.errors import DeliveryError, TopicError

KAFKA_VARIABLE = "BATCHSTREAM_KAFKA"
"""Environment variable that carries the Kafka connection's settings as JSON to the Spark driver; never a command line."""

REQUEST_TIMEOUT_SECONDS = 15
MILLISECONDS_PER_DAY = 24 * 60 * 60 * 1000


_UNSETTLED = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    # Of several brokers, the one that is asked may hear of a new topic last.
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
)


class TopicState(NamedTuple):
    """A topic as a load finds it.

    Attributes:
        topic_id: Changes when a topic is deleted and made anew.
        end_offsets: Next offset of each partition; the load's own messages start here.
    """

    topic_id: str
    end_offsets: dict[int, int]


def ensure_topic(settings: Mapping[str, Any], topic: Topic) -> TopicState:
    """Make the topic, or see to it that the one which exists is what the contract says.

    Args:
        settings: librdkafka's, of an Airflow connection: at least ``bootstrap.servers``.
        topic: What the contract says.

    Raises:
        TopicError: The topic exists with other partitions, replication, in-sync replicas or retention.
        DeliveryError: The broker can't be reached.
    """
    admin = AdminClient(client_settings(settings))
    try:
        _create(admin, topic)
        return _settled_state(admin, settings, topic)
    except KafkaException as error:
        raise _unreachable(settings, error.args[0]) from error


def topic_id(settings: Mapping[str, Any], topic: Topic) -> str:
    """The id of a topic, to tell it from another one of the same name.

    Raises:
        TopicError: The topic is gone.
        DeliveryError: The broker can't be reached.
    """
    try:
        return str(_described(AdminClient(client_settings(settings)), topic).topic_id)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise TopicError(
                f"topic '{topic.name}' is gone, and with it what was sent: start a new run, which makes it"
            ) from error
        raise _unreachable(settings, error.args[0]) from error


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


def _unreachable(settings: Mapping[str, Any], error: KafkaError) -> DeliveryError:
    return DeliveryError(f"Kafka at {settings.get('bootstrap.servers')}: {error.str()}. Start the broker, or mend the address")


def _create(admin: AdminClient, topic: Topic) -> None:
    new = NewTopic(
        topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication_factor,
        config={
            "retention.ms": str(topic.retention_days * MILLISECONDS_PER_DAY),
            "min.insync.replicas": str(topic.min_insync_replicas),
        },
    )
    try:
        admin.create_topics([new], request_timeout=REQUEST_TIMEOUT_SECONDS)[topic.name].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _settled_state(admin: AdminClient, settings: Mapping[str, Any], topic: Topic) -> TopicState:
    """Look at a topic; one that was made a moment ago may not be known to the broker yet, or have no leader."""
    deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
    while True:
        try:
            description = _described(admin, topic)
            _compare(admin, topic, description)
            return TopicState(str(description.topic_id), _end_offsets(settings, topic))
        except KafkaException as error:
            if error.args[0].code() not in _UNSETTLED or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _described(admin: AdminClient, topic: Topic) -> Any:
    futures = admin.describe_topics(TopicCollection([topic.name]), request_timeout=REQUEST_TIMEOUT_SECONDS)
    return futures[topic.name].result()


def _compare(admin: AdminClient, topic: Topic, description: Any) -> None:
    resource = ConfigResource(ResourceType.TOPIC, topic.name)
    config = admin.describe_configs([resource], request_timeout=REQUEST_TIMEOUT_SECONDS)[resource].result()
    found = {
        "partitions": len(description.partitions),
        "replication factor": min(len(partition.replicas) for partition in description.partitions),
        "min.insync.replicas": int(config["min.insync.replicas"].value),
        "retention.ms": int(config["retention.ms"].value),
        "cleanup.policy": config["cleanup.policy"].value,
    }
    expected = {
        "partitions": topic.partitions,
        "replication factor": topic.replication_factor,
        "min.insync.replicas": topic.min_insync_replicas,
        "retention.ms": topic.retention_days * MILLISECONDS_PER_DAY,
        # A compacted topic would drop batches whose keys repeat.
        "cleanup.policy": "delete",
    }
    differences = [
        f"{name} is {found[name]}, the contract says {expected[name]}" for name in expected if found[name] != expected[name]
    ]
    if differences:
        raise TopicError(
            f"topic '{topic.name}': {'; '.join(differences)}. Change the contract, or alter the topic with kafka-topics.sh and "
            "kafka-configs.sh, or delete it so that the next run makes it anew"
        )


def _end_offsets(settings: Mapping[str, Any], topic: Topic) -> dict[int, int]:
    consumer = Consumer({**client_settings(settings), "group.id": "batchstream-offsets", "enable.auto.commit": False})
    try:
        return {
            partition: consumer.get_watermark_offsets(TopicPartition(topic.name, partition), timeout=REQUEST_TIMEOUT_SECONDS)[1]
            for partition in range(topic.partitions)
        }
    finally:
        consumer.close()
