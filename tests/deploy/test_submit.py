"""What spark-submit is called with, whatever the master: the provider's own hook builds the command."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airflow.providers.apache.spark.hooks import spark_submit
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from batchstream.airflow.connections import spark_settings
from batchstream.airflow.consume import ConsumeStreamOperator
from batchstream.contract import Contract
from batchstream.errors import BatchstreamError, ConnectionSettingsError, LoadError, SparkError
from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.paths import ROOT, SPARK_APPLICATION
from batchstream.postgres import ledger, names
from batchstream.postgres.connection import POSTGRES_VARIABLE
from tests.support.pipeline import Pipeline

PASSWORDS = ("of-postgres", "of-kafka")
POSTGRES = {
    "conn_type": "postgres",
    "host": "db.example.com",
    "login": "kafka_user",
    "password": PASSWORDS[0],
    "schema": "kafka_streaming",
    "extra": {"sslmode": "verify-full"},
}
KAFKA = {
    "conn_type": "kafka",
    "extra": {"bootstrap.servers": "kafka-1:9092,kafka-2:9092", "sasl.username": "batchstream", "sasl.password": PASSWORDS[1]},
}
KUBERNETES = json.loads((ROOT / "deploy" / "kubernetes" / "spark-connection.json").read_text())
OTHERS = {
    "local": {"conn_type": "spark", "host": "local[2]", "extra": {"checkpoints": "/tmp/checkpoints"}},
    "standalone": {"conn_type": "spark", "host": "spark://master:7077", "extra": {"checkpoints": "/tmp/checkpoints"}},
    "yarn": {"conn_type": "spark", "host": "yarn", "extra": {"checkpoints": "hdfs:///checkpoints"}},
    "kubernetes, driver beside Airflow": {
        **KUBERNETES,
        "extra": {name: value for name, value in KUBERNETES["extra"].items() if name != "deploy-mode"},
    },
}

# In the place of spark-submit, which would look for a cluster: notes what it was called with.
RECORDER = """\
#!{python}
import json, os, pathlib, sys
pathlib.Path({called!r}).write_text(json.dumps([sys.argv[1:], dict(os.environ)]))
status = int(os.environ.get("SUBMITTED_ENDS_WITH", "0"))
print("exit code:", status)
sys.exit(status)
"""


@pytest.fixture
def submit(monkeypatch: pytest.MonkeyPatch, housing: Contract, tmp_path: Path) -> Any:
    """Gives the command and the environment that the task would start with a Spark connection."""
    # The hook only looks whether the client of Kubernetes is installed; one machine does without.
    monkeypatch.setattr(spark_submit, "kube_client", object(), raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_BATCHSTREAM_POSTGRES", json.dumps(POSTGRES))
    monkeypatch.setenv("AIRFLOW_CONN_BATCHSTREAM_KAFKA", json.dumps(KAFKA))
    program, called = tmp_path / "spark-submit", tmp_path / "called.json"
    program.write_text(RECORDER.format(python=sys.executable, called=str(called)))
    program.chmod(0o700)
    monkeypatch.setenv("_AIRFLOW_WWW_USER_PASSWORD", "of-a-user")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def run(connection: dict[str, Any], load_id: int = 7) -> tuple[list[str], dict[str, str]]:
        monkeypatch.setenv("AIRFLOW_CONN_BATCHSTREAM_SPARK", json.dumps(connection))
        operator = ConsumeStreamOperator(task_id="consume_stream", contract=housing, load_id=str(load_id))
        try:
            operator.execute({})
        finally:
            # The hook leaves it to the end of the task's process.
            operator._hook._submit_sp.stdout.close()
        command, environment = json.loads(called.read_text())
        return command, environment

    return run


@pytest.mark.parametrize("connection", [KUBERNETES, *OTHERS.values()], ids=["kubernetes", *OTHERS])
def test_the_driver_of_any_master_gets_its_own_settings_alone_and_none_on_the_command_line(
    submit: Any, connection: dict[str, Any]
) -> None:
    command, environment = submit(connection)
    assert command[:2] == ["--master", connection["host"]]
    line = " ".join(command)
    assert not [word for word in (*PASSWORDS, POSTGRES_VARIABLE, KAFKA_VARIABLE) if word in line]
    # Nor is anything of Airflow's in its environment: other connections, the database's address, keys.
    assert [name for name in environment if "AIRFLOW" in name] == []
    # Where the driver is a child of spark-submit, that is how it gets them.
    assert json.loads(environment[POSTGRES_VARIABLE])["password"] == PASSWORDS[0]
    assert json.loads(environment[KAFKA_VARIABLE]) == KAFKA["extra"]


def test_a_connection_without_a_folder_for_checkpoints_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BATCHSTREAM_SPARK", json.dumps({"conn_type": "spark", "host": "local[2]"}))
    with pytest.raises(
        ConnectionSettingsError, match="connection 'batchstream_spark': extra has no 'checkpoints'; write a folder"
    ):
        spark_settings()


def test_on_kubernetes_the_driver_is_a_pod_of_the_template_with_the_application_of_its_image(submit: Any) -> None:
    command, _ = submit(KUBERNETES)
    assert command[command.index("--deploy-mode") + 1] == "cluster"
    assert f"local://{SPARK_APPLICATION}" in command
    mounted = "/etc/batchstream/spark"
    for role in ("driver", "executor"):
        assert f"spark.kubernetes.{role}.podTemplateFile={mounted}/spark-{role}.yaml" in command
        assert (ROOT / "deploy" / "kubernetes" / f"spark-{role}.yaml").exists()


def test_beside_airflow_the_application_is_a_file(submit: Any) -> None:
    command, _ = submit(OTHERS["standalone"])
    assert str(SPARK_APPLICATION) in command


@pytest.mark.parametrize(("noted", "failure"), [(LoadError, AirflowFailException), (SparkError, AirflowException)])
@pytest.mark.parametrize("connection", [KUBERNETES, OTHERS["local"]], ids=["kubernetes", "local"])
def test_only_what_a_retry_may_mend_is_tried_again(
    submit: Any,
    monkeypatch: pytest.MonkeyPatch,
    connection: dict[str, Any],
    noted: type[BatchstreamError],
    failure: type[Exception],
) -> None:
    monkeypatch.setenv("SUBMITTED_ENDS_WITH", "1")
    monkeypatch.setattr(ConsumeStreamOperator, "_failure", lambda *_: noted("what the application noted"))
    with pytest.raises(AirflowException, match="what the application noted") as caught:
        submit(connection)
    assert type(caught.value) is failure
    cause = caught.value.__cause__
    assert isinstance(cause, noted)
    assert (cause.dataset, cause.load_id) == ("housing", 7)


@pytest.mark.parametrize(
    ("noted", "state", "failure", "said"),
    [
        (("the topic is gone", True), "produced", AirflowFailException, "the topic is gone"),
        (("the broker is silent", False), "produced", AirflowException, "the broker is silent"),
        (None, "produced", AirflowException, r"load \d+: Spark ended without a word in the ledger; see this task's log"),
        (("the run has ended", False), "failed", AirflowFailException, "the run has ended"),
    ],
)
def test_the_ledger_says_why_and_whether_to_try_again(
    pipeline: Pipeline,
    submit: Any,
    monkeypatch: pytest.MonkeyPatch,
    admin: psycopg.Connection,
    noted: tuple[str, bool] | None,
    state: str,
    failure: type[Exception],
    said: str,
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_BATCHSTREAM_POSTGRES")
    load_id = pipeline.open()
    settings = pipeline.settings(names.LOADER)
    connection = {"conn_type": "postgres", "host": settings.host, "port": settings.port, "schema": settings.dbname}
    monkeypatch.setenv(
        "AIRFLOW_CONN_BATCHSTREAM_POSTGRES", json.dumps({**connection, "login": settings.user, "password": settings.password})
    )
    monkeypatch.setenv("SUBMITTED_ENDS_WITH", "1")
    if noted:
        ledger.note_failure(admin, load_id, noted[0], for_good=noted[1])
    admin.execute("UPDATE batchstream.loads SET state = %s WHERE load_id = %s", [state, load_id])
    with pytest.raises(AirflowException, match=rf"^{said}") as caught:
        submit(OTHERS["local"], load_id)
    assert type(caught.value) is failure


def test_the_drivers_secret_is_made_of_the_connections(tmp_path: Path) -> None:
    connections = tmp_path / "connections.env"
    connections.write_text(
        f"AIRFLOW_CONN_BATCHSTREAM_KAFKA={json.dumps(KAFKA)}\nAIRFLOW_CONN_BATCHSTREAM_POSTGRES={json.dumps(POSTGRES)}\n"
    )
    made = subprocess.run(
        [sys.executable, ROOT / "scripts" / "consumer_env.py", connections],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = dict(line.split("=", 1) for line in made.stdout.splitlines() if line.startswith("BATCHSTREAM_"))
    assert lines.keys() == {POSTGRES_VARIABLE, KAFKA_VARIABLE}
    assert json.loads(lines[POSTGRES_VARIABLE])["options"] == {"sslmode": "verify-full"}
    assert json.loads(lines[KAFKA_VARIABLE]) == KAFKA["extra"]
    assert len(made.stdout.splitlines()) == len(lines)
