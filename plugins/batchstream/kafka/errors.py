"""What an error of Kafka means for a load: wait and try again, or first mend the topic, its rights or the connection."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError

from batchstream.errors import BatchstreamError, ConnectionSettingsError, DeliveryError, TopicError

UNSETTLED = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        # Of several brokers, the one that is asked may hear of a new topic last.
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        # A broker that has not heard of a new leader yet, or a client that hasn't.
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
    }
)
"""What is said of a topic that was made a moment ago, or whose leader has just been lost."""

_BUSY = UNSETTLED | {
    KafkaError.UNKNOWN,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.NOT_CONTROLLER,
    KafkaError.KAFKA_STORAGE_ERROR,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.THROTTLING_QUOTA_EXCEEDED,
    # An idempotent producer that has lost count begins anew with the next try.
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
    KafkaError.UNKNOWN_PRODUCER_ID,
}
"""Of brokers that answer: time mends it."""

REFUSED = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError._INVALID_ARG,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.ILLEGAL_SASL_STATE,
        KafkaError.SECURITY_DISABLED,
    }
)
"""What the connection's own settings bring about."""

_GIVEN_UP = frozenset({KafkaError._FATAL, KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})
"""Of an idempotent producer that sends nothing any more. It says why in its log only."""

_UNREACHED = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._UNKNOWN_BROKER,
    }
)
"""The client's own codes for brokers that were not reached, or didn't answer."""

_PASSING = frozenset(
    {
        KafkaError._QUEUE_FULL,
        KafkaError._DESTROY,
        KafkaError._DESTROY_BROKER,
        KafkaError._FAIL,
        KafkaError._STATE,
        KafkaError._CONFLICT,
        KafkaError._IN_PROGRESS,
        KafkaError._PREV_IN_PROGRESS,
        KafkaError._INTR,
        KafkaError._OUTDATED,
        KafkaError._RETRY,
        KafkaError._FENCED,
        KafkaError._CRIT_SYS_RESOURCE,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._WAIT_COORD,
        KafkaError._WAIT_CACHE,
    }
)
"""The client's own codes for states of the client, which the next try doesn't have."""

_GRANT = "give the Kafka connection's user this right (kafka-acls.sh), or name another user in the connection"

_TIMES = (
    "set the clocks of this machine and of the brokers, or the topic's message.timestamp.type to LogAppendTime, or raise its "
    "message.timestamp.before.max.ms and message.timestamp.after.max.ms"
)

_ADVICE = {
    KafkaError.TOPIC_EXCEPTION: "write another topic into the contract, or delete the one whose name collides",
    KafkaError.INVALID_REPLICATION_FACTOR: "write at most as many copies as there are brokers into the contract "
    "(topicReplicationFactor), or start more brokers",
    KafkaError.INVALID_PARTITIONS: "write another topicPartitions into the contract",
    KafkaError.INVALID_CONFIG: "write other topic settings into the contract, or mend the brokers' own",
    KafkaError.POLICY_VIOLATION: "write what the brokers' policy allows into the contract, or have the topic made for you",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: _GRANT,
    KafkaError.GROUP_AUTHORIZATION_FAILED: "give the Kafka connection's user the right Read on the consumer groups whose names "
    "begin with spark-consumer (kafka-acls.sh), or name another user in the connection",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: _GRANT,
    KafkaError.INVALID_TIMESTAMP: _TIMES,
    # What is said of each of several messages whose time is refused, and of a message beside one that is.
    KafkaError.INVALID_RECORD: f"if the brokers' log has nothing else, the time of a message is refused: {_TIMES}",
    KafkaError._INVALID_DIFFERENT_RECORD: f"if the brokers' log has nothing else, the time of a message is refused: {_TIMES}",
    KafkaError.UNSUPPORTED_VERSION: "use brokers of Kafka 2.4 or later",
}


def explained(error: KafkaError, settings: Mapping[str, Any], topic: str) -> BatchstreamError:
    """An error of Kafka as ours: retried if time may mend it, else with what to do.

    Args:
        error: The client's.
        settings: Of the Kafka connection.
        topic: Name of the topic that it is about.
    """
    code, servers = error.code(), settings.get("bootstrap.servers")
    if code in REFUSED:
        return ConnectionSettingsError(
            f"Kafka at {servers} refused the log-in, or a setting is wrong: {error.str()}. Mend the Kafka connection: "
            "security.protocol, sasl.…, ssl.…"
        )
    if code in _GIVEN_UP:
        return DeliveryError(
            f"Kafka at {servers}: topic '{topic}': the producer has given up ({error.str()}), and its log, in that of the task, "
            "says why. Look at the right Write of the Kafka connection's user, and at the brokers' log; the retry may succeed"
        )
    if code in _BUSY | _PASSING or (error.retriable() and not is_of_the_connection(error)):
        return DeliveryError(f"Kafka at {servers}: topic '{topic}': {error.str()}. Look at the brokers; the retry may succeed")
    if is_of_the_connection(error):
        return DeliveryError(f"Kafka at {servers}: {error.str()}. Start the broker, or mend the address")
    advice = _ADVICE.get(code, "look at the topic and at the brokers' log")
    return TopicError(f"topic '{topic}' at {servers}: {error.str()} ({error.name()}); {advice}")


def needs_mending(error: KafkaError) -> bool:
    """Whether somebody has to mend what a broker refuses, such as a right, before a retry succeeds."""
    return error.code() in _ADVICE


def is_of_the_connection(error: KafkaError) -> bool:
    """Whether no broker was reached, or none answered."""
    return error.code() in _UNREACHED
