"""Every container is killed in the middle of a run: readers see whole loads, and the run or the next one is green."""

import pytest

from tests.compose.airflow_api import AirflowApi
from tests.compose.stack import Stack
from tests.compose.watch import green_at_last, readers

# What is killed in one run, and while which task works. A run doesn't need those of the first line.
KILLS = [
    pytest.param(("kafka-ui", "pgadmin", "airflow-triggerer", "airflow-dag-processor"), "create_topic", id="bystanders"),
    pytest.param(("spark-master",), "consume_stream", id="spark-master"),
    pytest.param(("spark-worker",), "consume_stream", id="spark-worker"),
    pytest.param(("kafka",), "produce_batches", id="kafka"),
    pytest.param(("postgres",), "consume_stream", id="postgres"),
    pytest.param(("airflow-api-server",), "consume_stream", id="airflow-api-server"),
    pytest.param(("airflow-scheduler",), "consume_stream", id="airflow-scheduler"),
]


@pytest.fixture(scope="module", autouse=True)
def published(airflow: AirflowApi) -> None:
    """A load that readers see from the beginning."""
    run_id = airflow.trigger()
    assert airflow.wait_for_run(run_id) == "success", airflow.tasks(run_id)


def test_every_container_is_killed(stack: Stack) -> None:
    killed = {service for case in KILLS for service in case.values[0]}
    staying = {name for name, container in stack.containers().items() if container["State"]["Running"]}
    assert killed == staying


@pytest.mark.parametrize(("services", "task"), KILLS)
def test_a_crash_in_the_middle_of_a_run(stack: Stack, airflow: AirflowApi, services: tuple[str, ...], task: str) -> None:
    with readers(stack):
        run_id = airflow.trigger()
        airflow.wait_for_task(run_id, task)
        before = {service: stack.containers()[service]["RestartCount"] for service in services}
        for service in services:
            stack.crash(service)
        stack.wait_until_healthy()
        assert all(stack.containers()[service]["RestartCount"] > count for service, count in before.items())
        green_at_last(stack, airflow, run_id)


def test_what_somebody_killed_comes_back_with_the_next_start(stack: Stack, airflow: AirflowApi) -> None:
    """The engine takes docker kill for a wish, and leaves such a container down."""
    with readers(stack):
        run_id = airflow.trigger()
        airflow.wait_for_task(run_id, "consume_stream")
        stack.compose("kill", "kafka", "spark-worker", "postgres")
        stack.up()
        green_at_last(stack, airflow, run_id)
