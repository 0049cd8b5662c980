"""What Spark's pods run, as a process: Spark gives it the same arguments and variables there."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.local import ports
from batchstream.local.installation import Installation
from batchstream.paths import ROOT, SPARK_APPLICATION
from batchstream.postgres.connection import POSTGRES_VARIABLE
from tests.support.pipeline import Pipeline

ENTRYPOINT = ROOT / "deploy" / "kubernetes" / "spark-entrypoint.sh"


def run(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", ENTRYPOINT, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_driver_lands_a_load_with_the_settings_of_its_environment(
    installation: Installation, pipeline: Pipeline, tmp_path: Path
) -> None:
    load_id = pipeline.produced()
    job = pipeline.job(load_id)
    settings = installation.spark_settings()
    # In the file that Spark mounts into the pod: everything that was --conf, and the class path of the image.
    conf = {"spark.master": "local[2]", "spark.driver.extraClassPath": settings["driver_class_path"], **settings["conf"]}
    properties = tmp_path / "spark.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in conf.items() if name != "spark.driver.bindAddress"))
    environment = {
        **installation.environment(),
        POSTGRES_VARIABLE: msgspec.json.encode(job.settings).decode(),
        KAFKA_VARIABLE: msgspec.json.encode(job.kafka).decode(),
        "SPARK_DRIVER_BIND_ADDRESS": ports.LOOPBACK,
    }
    done = run(
        *("driver", "--properties-file", str(properties), "--class", "org.apache.spark.deploy.PythonRunner"),
        *(f"local://{SPARK_APPLICATION}", "--load-id", str(load_id)),
        *("--checkpoints", str(tmp_path / "checkpoints")),
        environment=environment,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert pipeline.verify(load_id)[0]
    assert pipeline.publish(load_id).inserted_rows == 506


def test_the_executor_takes_what_spark_says_and_looks_for_its_driver(installation: Installation) -> None:
    port = ports.any_free()
    environment = {
        **installation.environment(),
        "SPARK_EXECUTOR_MEMORY": "512m",
        "SPARK_DRIVER_URL": f"spark://CoarseGrainedScheduler@{ports.LOOPBACK}:{port}",
        "SPARK_EXECUTOR_ID": "1",
        "SPARK_EXECUTOR_CORES": "1",
        "SPARK_APPLICATION_ID": "spark-application",
        "SPARK_EXECUTOR_POD_IP": ports.LOOPBACK,
        "SPARK_EXECUTOR_POD_NAME": "batchstream-exec-1",
        "SPARK_RESOURCE_PROFILE_ID": "0",
        "SPARK_JAVA_OPT_0": "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "SPARK_JAVA_OPT_1": "-Dspark.rpc.askTimeout=10s",
    }
    done = run("executor", environment=environment)
    assert done.returncode != 0
    assert "Unrecognized options" not in done.stdout
    assert f"{ports.LOOPBACK}:{port}" in done.stdout
    assert "Connection refused" in done.stdout


@pytest.mark.parametrize("role", ["", "worker"])
def test_another_role_is_refused(role: str) -> None:
    done = run(role, environment=dict(os.environ))
    assert done.returncode == 2
    assert "it is driver or executor" in done.stdout
