"""What the faults have in common: a verified load that has to survive, and a newer one that is on its way."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest

from batchstream.load import verify
from batchstream.local.installation import Installation
from batchstream.spark import load
from tests.support.pipeline import Pipeline
from tests.support.waiting import wait_for


@pytest.fixture(params=["driver", "executors", "transforming"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where records are decoded and landed; without this fixture, small loads land from the driver.

    With "transforming" the executors do it, and Spark computes a column, so that the same rows come out.
    """
    if request.param != "driver":
        monkeypatch.setattr(load, "DRIVER_MESSAGES", -1)
    if request.param == "transforming":
        name = "orders_pipeline" if "orders_pipeline" in request.fixturenames else "pipeline"
        request.getfixturevalue(name).compute_a_column()
    return str(request.param)


@pytest.fixture
def previous(pipeline: Pipeline) -> str:
    """Checksum of a verified load that readers see; the source has changed since."""
    pipeline.reload()
    assert pipeline.shows_source()
    checksum = pipeline.checksum()
    pipeline.change_source()
    assert checksum != pipeline.expected_checksum()
    assert checksum is not None
    return checksum


Hold = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def hold(installation: Installation) -> Hold:
    """Holds a lock on a table, against everybody if no mode is said, as somebody else's transaction would."""

    @contextmanager
    def held(table: str, mode: str = "ACCESS EXCLUSIVE") -> Iterator[None]:
        connection = installation.postgres.connect("kafka_streaming")
        try:
            connection.execute(f"LOCK TABLE {table} IN {mode} MODE")
            yield
        finally:
            connection.close()

    return held


def approve(pipeline: Pipeline, load_id: int) -> None:
    """Enter green verdicts for what has landed, whatever that is."""
    for check in verify.BEFORE_PUBLISH:
        verify.note_verdict(pipeline.engines.owner, load_id, check, passed=True, message="for a test")


def wait_until_blocked(admin: psycopg.Connection, application: str, seconds: float = 60) -> int:
    """Wait until a session waits for a lock; returns its process id."""
    found = wait_for(
        lambda: admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock'", [f"{application}%"]
        ).fetchone(),
        seconds,
        f"{application} waits for a lock",
        every_seconds=0.05,
    )
    assert found is not None
    return int(found[0])
