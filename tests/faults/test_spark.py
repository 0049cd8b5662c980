"""Spark's driver and executors killed, its checkpoint damaged, and writers that don't know that they were given up."""

import os
import shutil
import signal
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from batchstream.errors import BatchstreamError, LoadError
from batchstream.load.publish import publish_load
from batchstream.postgres import relations
from batchstream.postgres.landing import Landed, Lander
from batchstream.records.messages import Message
from tests.faults.conftest import Hold, wait_until_blocked
from tests.support.cluster import Cluster
from tests.support.pipeline import LARGE, Pipeline
from tests.support.waiting import wait_for


def checkpoint(pipeline: Pipeline, load_id: int) -> Path:
    return Path(pipeline.checkpoint(load_id))


def python_halves(java: int) -> list[psutil.Process]:
    """The Python process of a driver; Java has other children for a moment, which may end while they are looked at."""
    found = []
    for child in psutil.Process(java).children():
        with suppress(psutil.Error):
            if "consume.py" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_the_application_tells_in_the_ledger_that_a_retry_is_in_vain(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    load_id = pipeline.produced()
    admin.execute(sql.SQL("ALTER TABLE {} ALTER medv TYPE bigint").format(relations.landing(pipeline.contract, load_id)))
    process = pipeline.submit(load_id)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output[-3000:]
    load = pipeline.ledger(load_id)
    assert load["failed_for_good"]
    assert "for column 'medv', its contract says double precision NOT NULL: somebody has altered it" in load["reason"]


@pytest.fixture(params=["direct", "transforming"])
def way(request: pytest.FixtureRequest, pipeline: Pipeline) -> None:
    """With a JVM of its own: whether Spark computes a column of the records that it lands."""
    if request.param == "transforming":
        pipeline.compute_a_column()


@pytest.mark.usefixtures("way")
def test_the_driver_killed_in_the_middle_of_the_landing(
    pipeline: Pipeline, previous: str, admin: psycopg.Connection, hold: Hold
) -> None:
    load_id = pipeline.produced()
    with hold("batchstream.batches"):
        process = pipeline.submit(load_id)
        wait_until_blocked(admin, f"batchstream load {load_id} driver")
        (python,) = python_halves(process.pid)
        process.kill()
        process.communicate()
        # Its Python half ends by itself, although it waits for PostgreSQL and not for the JVM.
        wait_for(lambda: not python.is_running() or python.status() == psutil.STATUS_ZOMBIE, 5, "the orphan is gone")
    # And with it its session.
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    wait_for(lambda: admin.execute(sessions, [f"batchstream load {load_id} driver"]).fetchone() == (0,), 10, "the orphan is gone")
    assert pipeline.checksum() == previous
    pipeline.consume(load_id)
    pipeline.finish(load_id)


def test_the_commit_of_spark_lost_after_that_of_postgres(pipeline: Pipeline, previous: str, path: str) -> None:
    load_id = pipeline.produced()
    assert pipeline.consume(load_id).landed == 506
    commits = checkpoint(pipeline, load_id) / "commits"
    newest = max((file for file in commits.iterdir() if file.name.isdigit()), key=lambda file: int(file.name))
    newest.unlink()
    (commits / f".{newest.name}.crc").unlink(missing_ok=True)
    again = pipeline.consume(load_id)
    assert (again.duplicates, again.landed) == (6, 0)
    pipeline.finish(load_id)


def test_the_checkpoint_removed_between_two_tries(pipeline: Pipeline, previous: str, path: str) -> None:
    load_id = pipeline.produced()
    pipeline.consume(load_id)
    shutil.rmtree(checkpoint(pipeline, load_id))
    again = pipeline.consume(load_id)
    assert (again.messages, again.duplicates, again.landed) == (6, 6, 0)
    pipeline.finish(load_id)


def test_tasks_that_do_their_work_and_then_report_failure(pipeline: Pipeline, previous: str) -> None:
    load_id = pipeline.open()
    for _ in range(2):
        pipeline.create_topic(load_id)
    for _ in range(2):
        pipeline.produce(load_id)
    for _ in range(2):
        pipeline.consume(load_id)
    assert pipeline.verify(load_id)[0]
    first = publish_load(pipeline.engines, load_id)
    assert publish_load(pipeline.engines, load_id) == first == (0, 10, 0, 506)
    assert pipeline.shows_source()


@pytest.mark.usefixtures("way")
def test_an_executor_killed_in_the_middle_of_the_landing(
    cluster: Cluster, pipeline: Pipeline, admin: psycopg.Connection, hold: Hold
) -> None:
    pipeline.repeat_source(LARGE)
    load_id = pipeline.produced()
    with hold("batchstream.batches"):
        process = pipeline.submit(load_id, master=cluster.url, **{"spark.executor.memory": "512m"})
        wait_until_blocked(admin, f"batchstream load {load_id} executor", seconds=180)
        os.kill(cluster.executors()[0], signal.SIGKILL)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output[-3000:]
    pipeline.finish(load_id)


class LateWriter(threading.Thread):
    """What is left of a killed driver: it has read the load's messages, and writes when everybody has forgotten it."""

    def __init__(self, pipeline: Pipeline, load_id: int) -> None:
        super().__init__()
        self._contract = pipeline.contract
        self._connection = pipeline.connect()
        attempt = pipeline.ledger(load_id)["attempt"]
        self._signer = pipeline.signer(load_id, attempt)
        messages, _ = pipeline.messages(load_id, attempt)
        topic = self._contract.topic.name
        self._messages = [Message(topic, 0, offset, key, value) for offset, (key, value) in enumerate(messages)]
        self.outcome: Landed | BatchstreamError | None = None

    def run(self) -> None:
        try:
            self.outcome = Lander(self._contract, self._signer).land(self._connection, self._messages)
        except BatchstreamError as error:
            self.outcome = error
        finally:
            self._connection.close()


def test_a_late_writer_that_meets_its_own_retry_lands_nothing(
    pipeline: Pipeline, previous: str, admin: psycopg.Connection, hold: Hold
) -> None:
    load_id = pipeline.produced()
    writers = [LateWriter(pipeline, load_id) for _ in range(3)]
    with hold("batchstream.batches"):
        for writer in writers:
            writer.start()
        wait_until_blocked(admin, "batchstream tests")
    consumed = pipeline.consume(load_id)
    for writer in writers:
        writer.join()
    outcomes = [consumed, *(writer.outcome for writer in writers)]
    assert sum(outcome.landed for outcome in outcomes if isinstance(outcome, Landed)) == 506
    pipeline.finish(load_id)


@pytest.mark.parametrize("end", ["published", "failed"])
def test_a_writer_that_comes_after_the_end_of_its_load_is_refused(pipeline: Pipeline, previous: str, end: str) -> None:
    load_id = pipeline.produced()
    pipeline.consume(load_id)
    if end == "published":
        pipeline.finish(load_id)
    else:
        pipeline.fail(load_id, "given up by the test")
    shown = pipeline.checksum()
    writer = LateWriter(pipeline, load_id)
    writer.start()
    writer.join()
    assert isinstance(writer.outcome, LoadError)
    assert end in str(writer.outcome)
    assert pipeline.checksum() == shown
    pipeline.reload()
    assert pipeline.shows_source()
