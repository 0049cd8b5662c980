"""The topic deleted, made anew, altered, or with its messages gone: it works, or the message says what to do."""

from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from batchstream.errors import LoadError, TopicError
from batchstream.kafka.topics import client_settings, ensure_topic, identity
from batchstream.spark import load
from tests.support.pipeline import Pipeline
from tests.support.waiting import wait_for


@pytest.fixture
def kafka(pipeline: Pipeline) -> AdminClient:
    return AdminClient(client_settings(pipeline.kafka))


def delete(kafka: AdminClient, pipeline: Pipeline) -> None:
    name = pipeline.contract.topic.name
    kafka.delete_topics([name])[name].result()


def test_deleted_between_two_runs_it_is_made_anew(pipeline: Pipeline, previous: str, path: str, kafka: AdminClient) -> None:
    delete(kafka, pipeline)
    pipeline.reload()
    assert pipeline.shows_source()


@pytest.mark.parametrize("made_anew", [True, False])
def test_deleted_between_produce_and_consume_the_load_is_lost_and_says_so(
    pipeline: Pipeline, previous: str, kafka: AdminClient, made_anew: bool
) -> None:
    load_id = pipeline.produced()
    delete(kafka, pipeline)
    if made_anew:
        # With more messages than the load's offsets: whoever trusts the offsets would read these.
        ensure_topic(pipeline.kafka, pipeline.contract.topic)
        pipeline.send([(None, b"[]")] * 20)
    said = "was deleted and made anew" if made_anew else "is gone"
    with pytest.raises(TopicError, match=f"{said}.*start a new run") as caught:
        pipeline.consume(load_id)
    assert pipeline.checksum() == previous
    pipeline.fail(load_id, str(caught.value))
    pipeline.reload()
    assert pipeline.shows_source()


def test_made_anew_between_the_look_at_it_and_the_reading_is_told_after_it(
    pipeline: Pipeline, path: str, kafka: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = pipeline.produced()
    messages, _ = pipeline.messages(load_id, attempt=1)
    run = load._run

    def made_anew(*arguments: Any) -> None:
        delete(kafka, pipeline)
        ensure_topic(pipeline.kafka, pipeline.contract.topic)
        # Even the load's own messages, word for word.
        pipeline.send(messages)
        run(*arguments)

    monkeypatch.setattr(load, "_run", made_anew)
    with pytest.raises(TopicError, match=r"was deleted and made anew.*start a new run"):
        pipeline.consume(load_id)
    assert pipeline.ledger(load_id)["state"] == "produced"
    assert pipeline.checksum() is None


def test_messages_that_are_gone_before_they_were_read_make_the_run_red(
    pipeline: Pipeline, previous: str, path: str, kafka: AdminClient
) -> None:
    load_id = pipeline.produced()
    first = pipeline.ledger(load_id)["start_offsets"]["0"]
    ((_, future),) = kafka.delete_records([TopicPartition(pipeline.contract.topic.name, 0, first + 2)]).items()
    future.result()
    place = f"topic '{pipeline.contract.topic.name}' partition 0 offset {first}"
    said = rf"^{place}: the messages from here to \d+ are gone before they were read; start a new run$"
    with pytest.raises(LoadError, match=said) as refused:
        pipeline.consume(load_id)
    found = refused.value
    about = (pipeline.name, load_id, pipeline.contract.topic.name, 0, None)
    assert (found.dataset, found.load_id, found.topic, found.partition, found.path) == about
    assert pipeline.checksum() == previous
    pipeline.fail(load_id, "messages are gone")
    pipeline.reload()
    assert pipeline.shows_source()


def test_more_partitions_than_the_contract_says_are_named(pipeline: Pipeline, previous: str, kafka: AdminClient) -> None:
    name = pipeline.contract.topic.name
    kafka.create_partitions([NewPartitions(name, 2)])[name].result()
    load_id = pipeline.open()
    with pytest.raises(TopicError, match="partitions is 2, the contract says 1"):
        pipeline.create_topic(load_id)
    pipeline.fail(load_id, "partitions")
    pipeline.edit_contract(
        lambda document: document["customProperties"][3].update(value=2)  # topicPartitions
    )
    pipeline.reload()
    assert pipeline.shows_source()


@pytest.mark.parametrize("sent", [False, True], ids=["before the load is sent", "after it"])
def test_partitions_that_come_in_mid_load_are_told(pipeline: Pipeline, previous: str, kafka: AdminClient, sent: bool) -> None:
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    if sent:
        pipeline.produce(load_id)
    name = pipeline.contract.topic.name
    kafka.create_partitions([NewPartitions(name, 3)])[name].result()
    wait_for(lambda: identity(pipeline.kafka, pipeline.contract.topic).partitions == 3, 30, "three partitions")
    if not sent:
        pipeline.produce(load_id)
    with pytest.raises(TopicError, match=f"topic '{name}' has 3 partitions, and 1 when load {load_id} began.*start a new run"):
        pipeline.consume(load_id)
    assert pipeline.ledger(load_id)["failed_for_good"]
    assert pipeline.checksum() == previous
