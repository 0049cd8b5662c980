"""docker-compose.zookeeper.yaml: the same pipeline with Kafka 3.9 and ZooKeeper."""

from collections.abc import Iterator, Mapping

import pytest

from tests.compose.airflow_api import AirflowApi
from tests.compose.confinement import assert_confined
from tests.compose.conftest import running
from tests.compose.stack import Stack
from tests.compose.watch import EXPECTED, housing


@pytest.fixture(scope="module")
def stack(engine: Mapping[str, str], images: dict[str, bool]) -> Iterator[Stack]:
    yield from running(engine, "docker-compose.zookeeper.yaml")


def test_the_pipeline_is_green_with_zookeeper(stack: Stack, airflow: AirflowApi) -> None:
    run_id = airflow.trigger()
    assert airflow.wait_for_run(run_id) == "success", airflow.tasks(run_id)
    assert housing(stack) == EXPECTED
    # The broker is registered there.
    script = "exec 3<>/dev/tcp/127.0.0.1/2181; printf srvr >&3; cat <&3"
    assert "Mode: standalone" in stack.compose("exec", "-T", "zookeeper", "bash", "-c", script)
    listed = stack.compose("exec", "-T", "kafka", "/opt/kafka/bin/zookeeper-shell.sh", "zookeeper:2181", "ls", "/brokers/ids")
    assert "[1]" in listed


def test_containers_can_do_no_more_than_they_need(stack: Stack, engine: dict[str, str]) -> None:
    assert_confined(stack, engine)
