"""The producer killed, and the broker stopped before, during and after the produce."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from batchstream.errors import DeliveryError
from batchstream.paths import ROOT
from batchstream.services.installation import Installation
from tests.support import produce as script
from tests.support.pipeline import Pipeline

TIMEOUT_SECONDS = 6


@pytest.fixture(autouse=True)
def broker(installation: Installation) -> Iterator[None]:
    yield
    installation.kafka.start()


def produce(pipeline: Pipeline, load_id: int, fault: str = "none", *, after_batches: int = 3) -> tuple[int, str]:
    """Exit status and output of the task; its connection gives up after a few seconds instead of thirty."""
    environment = pipeline.installation.environment()
    kafka = json.loads(environment["AIRFLOW_CONN_BATCHSTREAM_KAFKA"])
    kafka["extra"]["message.timeout.ms"] = TIMEOUT_SECONDS * 1000
    environment["AIRFLOW_CONN_BATCHSTREAM_KAFKA"] = json.dumps(kafka)
    done = subprocess.run(
        [
            *(sys.executable, "-m", script.__name__, str(pipeline.installation.state), str(pipeline.contract_path)),
            *(str(load_id), str(after_batches), fault),
        ],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def test_killed_after_three_batches_and_retried(pipeline: Pipeline, previous: str) -> None:
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    status, _ = produce(pipeline, load_id, "killed")
    assert status == -signal.SIGKILL
    assert pipeline.ledger(load_id)["state"] == "opened"
    assert produce(pipeline, load_id)[0] == 0
    consumed = pipeline.consume(load_id)
    # The first try's three batches and the second one's six are in the topic, and each has landed once.
    assert (consumed.messages, consumed.duplicates, consumed.landed) == (9, 3, 506)
    assert pipeline.verify(load_id)[0]
    pipeline.publish(load_id)
    assert pipeline.shows_source()


@pytest.mark.parametrize("moment", ["before", "during"])
def test_without_a_broker_the_task_is_red_and_the_retry_after_its_return_succeeds(
    pipeline: Pipeline, previous: str, installation: Installation, moment: str
) -> None:
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    if moment == "before":
        installation.kafka.kill()
    begun = time.monotonic()
    status, output = produce(pipeline, load_id, "none" if moment == "before" else "broker_killed")
    assert status == 1
    assert f"Kafka at {installation.kafka.bootstrap_servers}" in output
    # What the message timeout promises, and a generous while for Python to start.
    assert time.monotonic() - begun < TIMEOUT_SECONDS + 30
    assert pipeline.ledger(load_id)["produced_batches"] is None
    assert pipeline.checksum() == previous
    installation.kafka.start()
    assert produce(pipeline, load_id)[0] == 0
    assert pipeline.consume(load_id).landed == 506
    assert pipeline.verify(load_id)[0]
    pipeline.publish(load_id)
    assert pipeline.shows_source()


def test_a_broker_stopped_after_the_produce_is_named_and_its_return_is_enough(
    pipeline: Pipeline, previous: str, installation: Installation
) -> None:
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    pipeline.produce(load_id)
    installation.kafka.kill()
    with pytest.raises(DeliveryError, match=f"Kafka at {installation.kafka.bootstrap_servers}"):
        pipeline.consume(load_id)
    assert pipeline.checksum() == previous
    assert installation.kafka.bootstrap_servers in pipeline.ledger(load_id)["reason"]
    installation.kafka.start()
    pipeline.consume(load_id)
    assert pipeline.verify(load_id)[0]
    pipeline.publish(load_id)
    assert pipeline.shows_source()
    assert pipeline.ledger(load_id)["reason"] is None
