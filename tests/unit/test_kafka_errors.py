"""What is said of each error of Kafka: only who reached no broker is asked to start one."""

import pytest
from confluent_kafka import KafkaError

from batchstream.errors import BatchstreamError, DeliveryError, TopicError
from batchstream.kafka.errors import explained


def said_of(code: int) -> BatchstreamError:
    return explained(KafkaError(code), {"bootstrap.servers": "127.0.0.1:9092"}, "fruit")


@pytest.mark.parametrize("name", ["_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE", "_TIMED_OUT", "_MSG_TIMED_OUT"])
def test_a_broker_that_was_not_reached_is_to_be_started(name: str) -> None:
    error = said_of(getattr(KafkaError, name))
    assert isinstance(error, DeliveryError)
    assert "Start the broker, or mend the address" in str(error)


@pytest.mark.parametrize("name", ["UNKNOWN", "_QUEUE_FULL", "_STATE", "_FENCED", "_FATAL", "REQUEST_TIMED_OUT"])
def test_what_passes_is_tried_again(name: str) -> None:
    error = said_of(getattr(KafkaError, name))
    assert isinstance(error, DeliveryError)
    assert "the retry may succeed" in str(error)
    assert "Start the broker" not in str(error)


@pytest.mark.parametrize(
    "name", ["_UNSUPPORTED_FEATURE", "_BAD_COMPRESSION", "_NOT_IMPLEMENTED", "_BAD_MSG", "MSG_SIZE_TOO_LARGE"]
)
def test_what_a_retry_can_not_mend_says_its_cause(name: str) -> None:
    error = said_of(getattr(KafkaError, name))
    assert isinstance(error, TopicError)
    assert f"({name}); look at the topic and at the brokers' log" in str(error)
