"""A broker that gives rights one by one: what the connection's user may not do is told, with what to do."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from batchstream.errors import BatchstreamError, DeliveryError, TopicError
from batchstream.kafka.consumer_group import GROUP_ID_PREFIX, group_id
from batchstream.kafka.delivery import PRODUCER_SETTINGS, deliver
from batchstream.kafka.errors import explained
from batchstream.local import ports
from batchstream.local.broker_settings import OPERATOR, USER
from batchstream.local.installation import Installation
from batchstream.local.kafka import EmbeddedKafka
from batchstream.spark.fetch import fetch
from batchstream.spark.offset_ranges import OffsetRange
from tests.conftest import make_state
from tests.support.waiting import wait_for

GROUP = group_id("fruit")


class GuardedBroker(EmbeddedKafka):
    def _properties(self) -> str:
        authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        return f"{super()._properties()}authorizer.class.name={authorizer}\nsuper.users=User:{OPERATOR}\n"

    def operator(self) -> AdminClient:
        return AdminClient(self._operator_settings())


@pytest.fixture(scope="module")
def broker(installation: Installation) -> Iterator[GuardedBroker]:
    state = make_state()
    (state / "logs").mkdir()
    found = GuardedBroker(state, installation.jars, ports.any_free(), ports.any_free(), "password")
    try:
        found.start()
        yield found
    finally:
        found.kill()
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture
def topic(broker: GuardedBroker) -> str:
    name = f"rights-{os.urandom(4).hex()}"
    operator = broker.operator()
    operator.create_topics([NewTopic(name, 1, 1)])[name].result()
    return name


def grant(broker: GuardedBroker, kind: ResourceType, name: str, *operations: AclOperation) -> None:
    pattern, allow = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
    rights = [AclBinding(kind, name, pattern, f"User:{USER}", "*", operation, allow) for operation in operations]
    operator = broker.operator()
    for made in operator.create_acls(rights).values():
        made.result()


def attempt(work: Callable[[], object]) -> BatchstreamError | None:
    try:
        work()
    except BatchstreamError as error:
        return error
    return None


def send(broker: GuardedBroker, topic: str) -> None:
    producer = Producer({**broker.client_settings, **PRODUCER_SETTINGS, "message.timeout.ms": 8_000, "log_level": 0})
    try:
        deliver(producer, topic, [(b"a", b"[1]"), (b"b", b"[2]")])
    except KafkaException as error:
        raise explained(error.args[0], broker.client_settings, topic) from error


def test_who_may_not_write_is_not_told_to_start_the_broker(broker: GuardedBroker, topic: str) -> None:
    grant(broker, ResourceType.TOPIC, topic, AclOperation.DESCRIBE)
    wait_for(lambda: topic in AdminClient(broker.client_settings).list_topics(timeout=5).topics, 10, "the right is there")
    refused = attempt(lambda: send(broker, topic))
    # Either the client has given up when it is asked, or it still says which right it lacked.
    assert isinstance(refused, DeliveryError | TopicError)
    rights = {
        DeliveryError: "the right Write of the Kafka connection's user",
        TopicError: "the Kafka connection's user this right",
    }
    assert rights[type(refused)] in str(refused)
    assert "Start the broker" not in str(refused)


def test_who_may_not_read_is_told_so_and_not_tried_again(broker: GuardedBroker, topic: str) -> None:
    grant(broker, ResourceType.TOPIC, topic, AclOperation.DESCRIBE, AclOperation.WRITE)
    wait_for(lambda: attempt(lambda: send(broker, topic)) is None, 30, "the right is there")

    def read() -> None:
        assert len(list(fetch(broker.client_settings, topic, OffsetRange(0, 0, 2), GROUP))) == 2

    refused = attempt(read)
    # Of the topic's right and the group's, the broker says either first.
    assert isinstance(refused, TopicError)
    assert "_AUTHORIZATION_FAILED); give the Kafka connection's user" in str(refused)
    grant(broker, ResourceType.TOPIC, topic, AclOperation.READ)
    grant(broker, ResourceType.GROUP, GROUP, AclOperation.READ)
    wait_for(lambda: attempt(read) is None, 30, "all rights are there")


def test_the_groups_that_need_a_right_are_named() -> None:
    error = explained(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), {}, "fruit")
    assert f"the right Read on the consumer groups whose names begin with {GROUP_ID_PREFIX}" in str(error)
