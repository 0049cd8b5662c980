"""A Spark cluster of three workers with the settings of deploy/spark, one of them killed while a large load lands."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from batchstream.paths import ROOT
from batchstream.services.installation import Installation
from tests.faults.conftest import Hold, wait_until_blocked
from tests.support.cluster import Cluster
from tests.support.pipeline import Pipeline
from tests.support.waiting import wait_for

WORKERS = 3


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with deploy/spark's settings and a secret."""
    copied = Path(shutil.copy(ROOT / "deploy" / "spark" / "spark-defaults.conf", tmp_path_factory.mktemp("conf")))
    with copied.open("a") as settings:
        settings.write(f"spark.authenticate.secret {os.urandom(32).hex()}\n")
    copied.chmod(0o600)
    return copied.parent


@pytest.fixture(scope="module")
def workers(installation: Installation, conf: Path) -> Iterator[Cluster]:
    found = Cluster(installation, "workers", WORKERS, conf)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def submitted(pipeline: Pipeline, cluster: Cluster, load_id: int, variables: dict[str, str]) -> subprocess.Popen[str]:
    jars = cluster.connection()["extra"]["jars"]
    settings = {"spark.jars": jars, "spark.executor.memory": "512m"}
    return pipeline.submit(load_id, master=cluster.url, variables=variables, **settings)


def test_a_worker_killed_in_the_middle_of_the_landing(
    workers: Cluster, pipeline: Pipeline, admin: psycopg.Connection, hold: Hold
) -> None:
    pipeline.repeat_source(110)
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    pipeline.produce(load_id)
    with hold("batchstream.batches"):
        process = submitted(pipeline, workers, load_id, workers.environment)
        wait_until_blocked(admin, f"batchstream load {load_id} executor")
        executors = wait_for(lambda: (found := workers.executors()) and len(found) == WORKERS and found, 60, "all executors")
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        # Each of them is at work, so the killed one is too.
        wait_for(
            lambda: admin.execute(sessions, [f"batchstream load {load_id} executor"]).fetchone() == (WORKERS,), 60, "all at work"
        )
        workers.kill_worker(executors[0])
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output[-3000:]
    passed, message = pipeline.verify(load_id)
    assert passed, message
    assert pipeline.publish(load_id).inserted_rows == 506 * 110
    assert pipeline.shows_source()


def test_without_the_secret_nothing_runs_on_the_workers(workers: Cluster, pipeline: Pipeline) -> None:
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    pipeline.produce(load_id)
    before = len(workers.state()["completedapps"])
    process = submitted(pipeline, workers, load_id, {})
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output[-3000:]
    assert pipeline.ledger(load_id)["state"] == "produced"
    assert len(workers.state()["completedapps"]) == before
    assert not workers.state()["activeapps"]
    pipeline.fail(load_id, "refused by the cluster")
