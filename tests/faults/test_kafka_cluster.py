"""Three brokers with the settings of deploy/kafka, one of them killed during a load: nothing is lost, nothing doubled."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from confluent_kafka.admin import ConfigResource, ResourceType

from batchstream.kafka.delivery import PRODUCER_SETTINGS
from batchstream.load.engines import Engines
from batchstream.local.installation import Installation
from batchstream.spark.micro_batches import DRIVER_MESSAGES, MESSAGES_PER_TRANSACTION
from tests.conftest import HOUSING, copy_dataset
from tests.faults.conftest import Hold, wait_until_blocked
from tests.support.background import Background
from tests.support.brokers import BROKERS, Brokers
from tests.support.pipeline import LARGE, Pipeline
from tests.support.produce import run_operator
from tests.support.spark import SharedSpark

TIMEOUT_SECONDS = 30
LONG = 700
"""So many makes 3,542."""


class ClusterPipeline(Pipeline):
    """Housing with three partitions and three copies of each."""

    brokers: Brokers
    first_broker = 1

    @property
    def engines(self) -> Engines:
        kafka = {**PRODUCER_SETTINGS, "bootstrap.servers": self.brokers.bootstrap_servers(self.first_broker)}
        return replace(super().engines, kafka=kafka)


@pytest.fixture(scope="module")
def brokers(installation: Installation) -> Iterator[Brokers]:
    found = Brokers(installation.state / "brokers", installation.jars)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture
def pipeline(installation: Installation, spark: SharedSpark, brokers: Brokers, tmp_path: Any) -> ClusterPipeline:
    made = ClusterPipeline(installation, spark, copy_dataset(HOUSING, tmp_path / "housing"))
    made.brokers = brokers

    def edit(document: dict[str, Any]) -> None:
        for setting in document["customProperties"]:
            if setting["property"] in ("topicPartitions", "topicReplicationFactor"):
                setting["value"] = len(BROKERS)

    made.edit_contract(edit)
    return made


def opened(pipeline: ClusterPipeline) -> int:
    """A load whose topic is made, with all copies in sync; its connection names the leader first, which will be killed."""
    pipeline.brokers.start()
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    topic = pipeline.contract.topic.name
    pipeline.brokers.wait_until_in_sync(topic)
    pipeline.first_broker = pipeline.brokers.leader(topic)
    return load_id


@pytest.mark.nightly
def test_two_copies_are_written_before_a_batch_counts_as_acknowledged(pipeline: ClusterPipeline) -> None:
    load_id = opened(pipeline)
    resource = ConfigResource(ResourceType.TOPIC, pipeline.contract.topic.name)
    admin = pipeline.brokers.admin()
    assert admin.describe_configs([resource])[resource].result()["min.insync.replicas"].value == "2"
    pipeline.fail(load_id, "looked at only")


@pytest.mark.nightly
@pytest.mark.parametrize("times", [1, LARGE])
def test_a_leader_killed_while_the_load_is_sent(pipeline: ClusterPipeline, brokers: Brokers, times: int) -> None:
    pipeline.repeat_source(times)
    load_id = opened(pipeline)
    leader = brokers.all[pipeline.first_broker]
    assert leader.daemon.pid is not None
    status, output = run_operator(
        pipeline, load_id, leader.daemon.pid, after_batches=3 if times == 1 else 200, timeout_seconds=TIMEOUT_SECONDS
    )
    assert status == 0, output[-3000:]
    assert leader.daemon.pid is None
    # Read, verified and published without it, and so is the next load.
    assert pipeline.consume(load_id).landed == 506 * times
    assert (pipeline.ledger(load_id)["produced_batches"] > DRIVER_MESSAGES) == (times == LARGE)
    pipeline.finish(load_id)
    pipeline.change_source()
    assert pipeline.reload().updated_rows == 10
    assert pipeline.shows_source()


@pytest.mark.nightly
def test_a_leader_killed_while_spark_reads(
    pipeline: ClusterPipeline, brokers: Brokers, admin: psycopg.Connection, hold: Hold
) -> None:
    # Each partition has several transactions of a task, and twice what a task fetches ahead: the killed leader has the rest.
    pipeline.repeat_source(LONG)
    load_id = opened(pipeline)
    pipeline.produce(load_id)
    assert pipeline.ledger(load_id)["produced_batches"] > 3 * 3 * MESSAGES_PER_TRANSACTION
    with hold("batchstream.batches"):
        consumer = Background(pipeline.consume, load_id)
        wait_until_blocked(admin, f"batchstream load {load_id} executor")
        brokers.all[pipeline.first_broker].kill()
    consumer.wait()
    assert consumer.error is None
    assert consumer.result.landed == 506 * LONG
    pipeline.finish(load_id)
