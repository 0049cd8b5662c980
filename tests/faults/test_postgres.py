"""PostgreSQL crashed, its sessions cut, its tables locked and emptied, while a load lands and while it is published."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.errors import BatchstreamError, LoadError, SinkError
from batchstream.local.installation import Installation
from batchstream.postgres import names, relations
from batchstream.postgres.landing import Landed
from batchstream.spark import load
from batchstream.spark.micro_batches import MicroBatchLander
from tests.faults.conftest import Hold, wait_until_blocked
from tests.support.background import Background
from tests.support.pipeline import Pipeline


@pytest.fixture(autouse=True)
def server(installation: Installation) -> Iterator[None]:
    yield
    installation.postgres.start()
    with installation.postgres.connect() as connection:
        connection.autocommit = True
        connection.execute("ALTER SYSTEM RESET wal_writer_delay")
        connection.execute("SELECT pg_reload_conf()")


def verified(pipeline: Pipeline) -> int:
    load_id = pipeline.land()
    passed, message = pipeline.verify(load_id)
    assert passed, message
    return load_id


def break_session(installation: Installation, how: str, pid: int) -> None:
    if how == "crash":
        installation.postgres.stop("immediate")
        installation.postgres.start()
    else:
        with installation.postgres.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.mark.parametrize("how", ["crash", "cut"])
def test_broken_while_a_load_lands(
    pipeline: Pipeline, previous: str, path: str, admin: psycopg.Connection, hold: Hold, installation: Installation, how: str
) -> None:
    load_id = pipeline.produced()
    with hold("batchstream.batches"):
        landing = Background(pipeline.consume, load_id)
        name = f"batchstream load {load_id} {'driver' if path == 'driver' else 'executor'}"
        break_session(installation, how, wait_until_blocked(admin, name))
        landing.wait()
    assert isinstance(landing.error, SinkError), landing.error
    assert "Traceback" not in str(landing.error)
    assert pipeline.checksum() == previous
    pipeline.consume(load_id)
    pipeline.finish(load_id)


def test_a_crash_after_the_tasks_committed_loses_no_batch_that_spark_has_noted_as_done(
    pipeline: Pipeline, previous: str, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Executors don't wait for the disk, and the server writes its log late here: the crash takes their commits back."""
    monkeypatch.setattr(load, "DRIVER_MESSAGES", -1)
    with installation.postgres.connect() as connection:
        connection.autocommit = True
        connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        connection.execute("SELECT pg_reload_conf()")
    load_id = pipeline.produced()

    land = MicroBatchLander._land_on_executors

    def crash_after(*arguments: Any) -> Landed:
        landed = land(*arguments)
        installation.postgres.stop("immediate")
        installation.postgres.start()
        return landed

    with monkeypatch.context() as broken:
        broken.setattr(MicroBatchLander, "_land_on_executors", crash_after)
        with pytest.raises(SinkError):
            pipeline.consume(load_id)
    assert pipeline.checksum() == previous
    pipeline.consume(load_id)
    pipeline.finish(load_id)


@pytest.mark.parametrize("how", ["crash", "cut"])
def test_broken_while_a_load_is_published(
    pipeline: Pipeline, previous: str, admin: psycopg.Connection, hold: Hold, installation: Installation, how: str
) -> None:
    load_id = verified(pipeline)
    with hold(f"public.{pipeline.name}"):
        publishing = Background(pipeline.publish, load_id)
        break_session(installation, how, wait_until_blocked(admin, "batchstream publish_load"))
        publishing.wait()
    assert isinstance(publishing.error, SinkError)
    assert "readers see the load before or this one, whole" in str(publishing.error)
    assert pipeline.checksum() == previous
    pipeline.publish(load_id)
    assert pipeline.shows_source()


def test_somebody_elses_lock_is_waited_for_within_bounds_and_named(pipeline: Pipeline, previous: str, hold: Hold) -> None:
    load_id = verified(pipeline)
    with hold(f"public.{pipeline.name}"), pytest.raises(SinkError, match=r"somebody else holds a lock .*, pid \d+") as caught:
        pipeline.publish(load_id)
    assert "end that transaction" in str(caught.value)
    assert pipeline.checksum() == previous
    pipeline.publish(load_id)
    assert pipeline.shows_source()


def test_a_right_that_the_publish_lacks_is_named(pipeline: Pipeline, previous: str, admin: psycopg.Connection) -> None:
    load_id = verified(pipeline)
    right = sql.SQL("TEMPORARY ON DATABASE {}").format(sql.Identifier(names.DATABASE))
    admin.execute(sql.SQL("REVOKE {} FROM {}").format(right, sql.Identifier(names.OWNER)))
    try:
        with pytest.raises(LoadError, match=r"permission denied to create temporary tables .*; compare the rights of its role"):
            pipeline.publish(load_id)
    finally:
        admin.execute(sql.SQL("GRANT {} TO {}").format(right, sql.Identifier(names.OWNER)))
    assert pipeline.checksum() == previous
    pipeline.publish(load_id)
    assert pipeline.shows_source()


@pytest.mark.parametrize("moment", ["before the checks", "after the checks"])
@pytest.mark.parametrize(
    "statement", ["TRUNCATE {}", "DELETE FROM {} WHERE record_id = 7", "INSERT INTO {} SELECT * FROM {} LIMIT 1"]
)
def test_a_landing_changed_behind_our_back_is_never_published(
    pipeline: Pipeline, previous: str, admin: psycopg.Connection, moment: str, statement: str
) -> None:
    load_id = pipeline.land()
    if moment == "after the checks":
        assert pipeline.verify(load_id)[0]
    landing = relations.landing(pipeline.contract, load_id)
    admin.execute(sql.SQL(statement).format(*[landing] * statement.count("{}")))
    if moment == "before the checks":
        passed, message = pipeline.verify(load_id)
        assert not passed
        assert "Spark landed 506 records, the landing has" in message
    with pytest.raises(BatchstreamError) as caught:
        pipeline.publish(load_id)
    assert isinstance(caught.value, LoadError)
    assert pipeline.checksum() == previous
    pipeline.fail(load_id, str(caught.value))
    pipeline.reload()
    assert pipeline.shows_source()
