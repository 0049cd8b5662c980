"""docker-compose.yaml boots, and the pipeline is green in it."""

import json
import shutil
import urllib.request
from pathlib import Path

import pytest

from tests.compose.airflow_api import AirflowApi
from tests.compose.commands import run
from tests.compose.confinement import assert_confined
from tests.compose.pgadmin import PgAdmin
from tests.compose.stack import ADDRESS, Stack
from tests.compose.watch import EXPECTED, green_at_last, housing, readers

GIBIBYTE = 2**30
MESSAGES_A_LOAD = 6
# README says so.
MAX_IMAGE_BYTES = 2e9
# Stands in sql/: a search that doesn't find it would find no secret either.
TEXT_OF_OURS = "batchstream.load_is_gone"
CONNECTIONS = {"batchstream_kafka", "batchstream_spark", "batchstream_postgres", "batchstream_postgres_owner"}


def fetch(port: int, path: str = "/") -> bytes:
    with urllib.request.urlopen(f"http://{ADDRESS}:{port}{path}", timeout=60) as answer:
        return bytes(answer.read())


@pytest.fixture(scope="module")
def run_id(airflow: AirflowApi) -> str:
    """A run that was triggered by Airflow's API and is green."""
    triggered = airflow.trigger()
    assert airflow.wait_for_run(triggered) == "success", airflow.tasks(triggered)
    return triggered


def test_the_triggered_run_publishes_506_rows_with_the_known_mean(stack: Stack, run_id: str) -> None:
    assert housing(stack) == EXPECTED
    with stack.connect("batchstream_owner") as connection:
        query = "SELECT state, source_records, landed_records, quarantined_records FROM batchstream.loads WHERE run_id = %s"
        assert connection.execute(query, [run_id]).fetchall() == [("published", 506, 506, 0)]


def test_the_topic_holds_six_messages_a_load(stack: Stack, run_id: str) -> None:
    with stack.connect("batchstream_owner") as connection:
        (loads,) = connection.execute("SELECT count(*) FROM batchstream.loads WHERE state = 'published'").fetchone()  # type: ignore[misc]
    assert stack.messages("housing-data") == MESSAGES_A_LOAD * loads


def test_the_application_finished_on_the_worker(run_id: str) -> None:
    state = json.loads(fetch(8080, "/json/"))
    assert [worker["state"] for worker in state["workers"]] == ["ALIVE"]
    assert {application["state"] for application in state["completedapps"]} == {"FINISHED"}
    (worker,) = state["workers"]
    for application in state["completedapps"]:
        assert worker["id"].encode() in fetch(8080, f"/app/?appId={application['id']}")
    # In client mode the master starts no driver.
    assert state["activedrivers"] == state["completeddrivers"] == []


def test_the_scheduler_has_the_dag_unpaused_and_its_connections(airflow: AirflowApi) -> None:
    assert airflow.dag()["is_paused"] is False
    assert airflow.connections() >= CONNECTIONS


@pytest.mark.parametrize("service", ["airflow-scheduler", "airflow-api-server"])
def test_airflow_has_what_keeps_a_run_red_that_published_nothing(stack: Stack, service: str) -> None:
    assert "RunListener" in stack.compose("exec", "-T", service, "airflow", "plugins", "-o", "plain")


@pytest.mark.parametrize(
    ("port", "path", "text"),
    [
        (8088, "/", b"<title>Airflow"),
        (8080, "/", b"Spark Master at spark://spark-master:7077"),
        (8082, "/actuator/health", b'"UP"'),
        (5050, "/login", b"pgAdmin 4"),
    ],
)
def test_each_ui_answers(stack: Stack, port: int, path: str, text: bytes) -> None:
    assert text in fetch(port, path)


def test_kafka_ui_reaches_the_topic(stack: Stack, images: dict[str, bool], run_id: str) -> None:
    image = stack.config()["services"]["kafka-ui"]["image"]
    if not images[image]:
        pytest.skip(f"{image} is the real one, and this page is the stand-in's")
    assert b"<li>housing-data</li>" in fetch(8082)


def test_pgadmin_lets_one_in_and_opens_the_registered_server(stack: Stack) -> None:
    assert not PgAdmin(ADDRESS).log_in(stack.setting("PGADMIN_EMAIL"), "another")
    browser = PgAdmin(ADDRESS)
    assert browser.log_in(stack.setting("PGADMIN_EMAIL"), stack.secret("pgadmin_password"))
    (server,) = browser.servers()
    assert server["label"] == "batchstream"
    assert browser.connect(str(server["_id"]))["connected"] is True


def test_containers_can_do_no_more_than_they_need(stack: Stack, engine: dict[str, str], run_id: str) -> None:
    """After a run, so that Spark's driver and executors have found what they need."""
    assert_confined(stack, engine)


def test_containers_have_limits_and_no_way_to_the_host(stack: Stack) -> None:
    memory = 0
    for service, container in stack.containers().items():
        host = container["HostConfig"]
        memory += host["Memory"] if container["State"]["Running"] else 0
        assert host["Memory"], service
        assert not host["Privileged"], service
        assert not [mount for mount in container["Mounts"] if "docker.sock" in mount["Source"]], service
        published = [binding["HostIp"] for bindings in (host["PortBindings"] or {}).values() for binding in bindings]
        assert set(published) <= {ADDRESS}, service
        if container["State"]["Running"]:
            assert host["RestartPolicy"]["Name"] == "unless-stopped", service
    assert 0 < memory <= 7 * GIBIBYTE


def test_the_image_for_kubernetes_has_its_client(stack: Stack, engine: dict[str, str]) -> None:
    """As docs/deploy.md builds it."""
    image = "batchstream-test/airflow-kubernetes"
    options = ["--target", "airflow", "--build-arg", "EXTRAS=airflow kubernetes", "--tag", image]
    run("docker", "build", *options, stack.folder, env=engine, timeout_seconds=1200)
    try:
        run("docker", "run", "--rm", image, "python", "-c", "import kubernetes, airflow", env=engine)
    finally:
        run("docker", "image", "rm", image, env=engine)


def test_airflow_reads_every_format_of_a_source(stack: Stack) -> None:
    imports = "import openpyxl, pyarrow.parquet; from backports import zstd"
    stack.compose("exec", "-T", "airflow-scheduler", "python", "-c", imports)


@pytest.mark.parametrize(("options", "registered"), [("--properties-file /run/secrets/spark.properties", True), ("", False)])
def test_spark_takes_a_worker_that_has_the_secret_and_no_other(stack: Stack, options: str, registered: bool) -> None:
    command = "timeout 20 spark-class org.apache.spark.deploy.worker.Worker --webui-port 0 --work-dir /tmp/work"
    worker = f"{command} {options} spark://spark-master:7077"
    said = stack.compose("exec", "-T", "--env", "SPARK_DAEMON_MEMORY=128m", "spark-worker", "sh", "-c", f"{worker} 2>&1 || true")
    assert ("Successfully registered with master" in said) is registered, said
    assert ("Failed to connect to master" in said) is not registered, said


def texts_in(image: str, texts: set[str], folder: Path, engine: dict[str, str]) -> set[str]:
    """Which of some texts stand in an image's layers or in what is known of it."""
    layers = folder / "layers"
    layers.mkdir()
    patterns = folder / "patterns"
    patterns.write_text("\n".join(texts))
    # Some engines save layers as they are, others compressed.
    script = """set -o pipefail
        { docker save "$0" | tar -x -C "$1"; docker history --no-trunc "$0"; docker image inspect "$0"; } >"$1/described"
        find "$1" -type f -exec gzip -cdf {} + | grep --text --only-matching --fixed-strings --file="$2" | sort -u"""
    found = run("bash", "-c", script, image, layers, patterns, env=engine)
    shutil.rmtree(layers)
    return set(found.splitlines())


def test_images_hold_no_secret_and_no_root(stack: Stack, engine: dict[str, str], tmp_path: Path) -> None:
    folder = stack.folder / "secrets"
    secrets = {
        line
        for path in folder.iterdir()
        if path.is_file()
        for line in path.read_text().split("\n")
        if "authenticate true" not in line
    }
    secrets |= {
        line for path in (folder / "tls").glob("*.key") for line in path.read_text().split("\n") if "PRIVATE KEY" not in line
    }
    secrets.discard("")
    for image in sorted(stack.built_images()):
        (described,) = json.loads(run("docker", "image", "inspect", image, env=engine))
        assert described["Config"]["User"] not in ("", "0", "root"), image
        assert described["Size"] < MAX_IMAGE_BYTES, image
        assert texts_in(image, {*secrets, TEXT_OF_OURS}, tmp_path, engine) == {TEXT_OF_OURS}, image


def test_a_restart_of_everything_in_the_middle_of_a_run(stack: Stack, airflow: AirflowApi) -> None:
    with readers(stack):
        run_id = airflow.trigger()
        airflow.wait_for_task(run_id, "consume_stream")
        stack.compose("restart", "--timeout", "20")
        stack.up()
        green_at_last(stack, airflow, run_id)
