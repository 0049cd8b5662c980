"""A Spark cluster of three workers with the settings of deploy/spark, one of them killed while a large load lands."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from batchstream.local.installation import Installation
from batchstream.paths import ROOT
from tests.faults.conftest import Hold, wait_until_blocked
from tests.support.cluster import Cluster
from tests.support.pipeline import LARGE, Pipeline

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


def test_a_worker_killed_in_the_middle_of_the_landing(
    workers: Cluster, pipeline: Pipeline, admin: psycopg.Connection, hold: Hold
) -> None:
    pipeline.repeat_source(LARGE)
    load_id = pipeline.produced()
    settings = {
        "spark.executor.memory": "512m",
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    process = pipeline.submit(load_id, master=workers.url, variables=workers.environment, **settings)
    try:
        with hold("batchstream.batches"):
            # Four JVMs start first.
            wait_until_blocked(admin, f"batchstream load {load_id} executor", seconds=180)
            # Its Python half is there, so it is at work on the load.
            victim = next(executor for executor in workers.executors() if psutil.Process(executor).children())
            workers.kill_worker(victim)
        output, _ = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 0, output[-3000:]
    assert pipeline.finish(load_id).inserted_rows == 506 * LARGE
