"""The producer killed, and the broker stopped before, during and after the produce."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from batchstream.errors import DeliveryError
from batchstream.local.installation import Installation
from batchstream.spark import load
from tests.support.pipeline import Pipeline
from tests.support.produce import run_operator

TIMEOUT_SECONDS = 6

STATED_SECONDS = 90
"""In which `consume_stream` tells of a broker that is gone, as docs/operating.md says."""


@pytest.fixture(autouse=True)
def broker(installation: Installation) -> Iterator[None]:
    yield
    installation.kafka.start()


def produce(pipeline: Pipeline, load_id: int, fault: str | int = "none") -> tuple[int, str]:
    return run_operator(pipeline, load_id, fault, timeout_seconds=TIMEOUT_SECONDS)


def test_killed_after_three_batches_and_retried(pipeline: Pipeline, previous: str) -> None:
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    status, _ = produce(pipeline, load_id, "killed")
    assert status == -signal.SIGKILL
    assert pipeline.ledger(load_id)["state"] == "opened"
    assert produce(pipeline, load_id)[0] == 0
    consumed = pipeline.consume(load_id)
    # The first try's three batches and the second one's six are in the topic, and those of one try land.
    assert (consumed.messages, consumed.other_loads, consumed.landed) == (9, 3, 506)
    pipeline.finish(load_id)


def test_a_new_source_for_the_retry_of_a_try_that_was_cut_off_is_loaded_whole(
    pipeline: Pipeline, previous: str, path: str
) -> None:
    pipeline.allow_rejected(5)
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    assert produce(pipeline, load_id, "killed")[0] == -signal.SIGKILL
    pipeline.change_source(seed=99, records=200)
    assert produce(pipeline, load_id)[0] == 0
    consumed = pipeline.consume(load_id)
    # No old batch has come first, and none counts as rejected.
    assert (consumed.messages, consumed.other_loads, consumed.landed, consumed.rejected) == (9, 3, 506, 0)
    pipeline.finish(load_id)


@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.nightly), "during"])
def test_without_a_broker_the_task_is_red_and_the_retry_after_its_return_succeeds(
    pipeline: Pipeline, previous: str, installation: Installation, moment: str
) -> None:
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    if moment == "before":
        installation.kafka.kill()
    begun = time.monotonic()
    broker = installation.kafka.daemon.pid
    status, output = produce(pipeline, load_id, "none" if broker is None else broker)
    assert status == 1
    assert f"Kafka at {installation.kafka.bootstrap_servers}" in output
    # What the message timeout promises, and a generous while for Python to start.
    assert time.monotonic() - begun < TIMEOUT_SECONDS + 30
    assert pipeline.ledger(load_id)["produced_batches"] is None
    assert pipeline.checksum() == previous
    installation.kafka.start()
    assert produce(pipeline, load_id)[0] == 0
    assert pipeline.consume(load_id).landed == 506
    pipeline.finish(load_id)


def test_a_broker_stopped_after_the_produce_is_named_and_its_return_is_enough(
    pipeline: Pipeline, previous: str, installation: Installation
) -> None:
    load_id = pipeline.produced()
    installation.kafka.kill()
    with pytest.raises(DeliveryError, match=f"Kafka at {installation.kafka.bootstrap_servers}"):
        pipeline.consume(load_id)
    assert pipeline.checksum() == previous
    assert installation.kafka.bootstrap_servers in pipeline.ledger(load_id)["reason"]
    installation.kafka.start()
    pipeline.consume(load_id)
    pipeline.finish(load_id)
    assert pipeline.ledger(load_id)["reason"] is None


@pytest.mark.nightly
def test_a_broker_killed_before_spark_asks_for_offsets_is_named_within_the_time_that_is_stated(
    pipeline: Pipeline, previous: str, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = pipeline.produced()
    run = load._run

    def killed(*arguments: Any) -> None:
        installation.kafka.kill()
        run(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(load, "_run", killed)
        begun = time.monotonic()
        with pytest.raises(DeliveryError, match=f"^Kafka at {installation.kafka.bootstrap_servers}: .*Start the broker"):
            pipeline.consume(load_id)
        assert time.monotonic() - begun < STATED_SECONDS
    assert pipeline.checksum() == previous
    installation.kafka.start()
    pipeline.consume(load_id)
    pipeline.finish(load_id)
