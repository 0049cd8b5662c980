"""The publish's transactions: what is committed at each boundary, seen from a second session, and what a retry finds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from batchstream.contract.model import Publish
from batchstream.errors import LoadError, SinkError
from batchstream.postgres import relations
from batchstream.postgres.publish.steps import publish
from tests.faults.conftest import wait_until_blocked
from tests.integration.conftest import MakeDataset
from tests.support.background import Background
from tests.support.small import SmallDataset

ROWS = [("a", 1), ("b", 2)]


@pytest.fixture(params=list(Publish))
def dataset(request: pytest.FixtureRequest, small: MakeDataset) -> SmallDataset:
    """With a load that readers see."""
    found = small({"code": "text", "v": "integer"}, key="code", publish=request.param, indexed=["v"])
    found.load(ROWS)
    return found


@contextmanager
def locked(dataset: SmallDataset, table: str, mode: str) -> Iterator[None]:
    with dataset.installation.postgres.connect("kafka_streaming") as connection:
        connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.SQL(table), sql.SQL(mode)))
        yield
        connection.rollback()


def state(admin: psycopg.Connection, load_id: int) -> str:
    row = admin.execute("SELECT state FROM batchstream.loads WHERE load_id = %s", [load_id]).fetchone()
    assert row is not None
    return str(row[0])


def unique_indexes(admin: psycopg.Connection, dataset: SmallDataset, load_id: int) -> list[int]:
    """Of a landing."""
    rows = admin.execute(
        "SELECT indexrelid FROM pg_index WHERE indisunique AND indrelid = to_regclass(%s)",
        [relations.landing(dataset.contract, load_id).as_string(admin)],
    )
    return [oid for (oid,) in rows]


def test_verified_is_committed_before_anything_is_built_or_merged(dataset: SmallDataset, admin: psycopg.Connection) -> None:
    load_id = dataset.land([("a", 9)])
    landing = relations.landing(dataset.contract, load_id).as_string(admin)
    # A swap's index build waits for whoever writes the landing; a merge analyzes it.
    with locked(dataset, landing, "ROW EXCLUSIVE" if dataset.contract.publish is Publish.SWAP else "SHARE UPDATE EXCLUSIVE"):
        publishing = Background(dataset.publish, load_id)
        wait_until_blocked(admin, f"batchstream {dataset.table}")
        assert state(admin, load_id) == "verified"
        assert dataset.rows() == ROWS
        privileges = "SELECT has_table_privilege('kafka_user', %s, 'INSERT')"
        assert admin.execute(privileges, [landing]).fetchone() == (False,)
    publishing.wait()
    assert publishing.error is None
    assert state(admin, load_id) == "published"
    assert dataset.rows() == [("a", 9)]


def test_a_swap_that_fails_keeps_the_indexes_for_the_next_try(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small({"code": "text", "v": "integer"}, key="code", publish=Publish.SWAP)
    dataset.load(ROWS)
    load_id = dataset.land([("a", 9)])
    with locked(dataset, "batchstream.shown", "SHARE"), dataset.connect() as connection:
        connection.execute("SET lock_timeout = '500ms'")
        with pytest.raises(SinkError, match=r"somebody else holds a lock that the publish of .* needs, pid \d+ "):
            publish(connection, dataset.contract, load_id)
    assert state(admin, load_id) == "verified"
    built = unique_indexes(admin, dataset, load_id)
    assert len(built) == 1
    assert dataset.rows() == ROWS
    dataset.publish(load_id)
    assert unique_indexes(admin, dataset, load_id) == built
    assert dataset.rows() == [("a", 9)]


@pytest.mark.parametrize(
    ("action", "expected", "said"),
    [
        ("RAISE EXCEPTION 'not today'", LoadError, "a trigger of table '{table}' \\(at_commit\\) refuses the publish: not today"),
        ("PERFORM pg_terminate_backend(pg_backend_pid())", SinkError, "PostgreSQL gave up the publish"),
    ],
)
def test_an_error_at_the_commit_is_one_of_ours(
    small: MakeDataset, admin: psycopg.Connection, action: str, expected: type[Exception], said: str
) -> None:
    dataset = small({"code": "text", "v": "integer"}, key="code")
    dataset.load(ROWS)
    admin.execute(
        f"CREATE FUNCTION public.{dataset.table}_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NULL; END $$; "
        f"CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON {dataset.table} DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW EXECUTE FUNCTION public.{dataset.table}_f()"
    )
    load_id = dataset.land([("a", 9)])
    with pytest.raises(expected, match=said.format(table=dataset.table)):
        dataset.publish(load_id)
    assert state(admin, load_id) == "verified"
    assert dataset.rows() == ROWS
    admin.execute(f"DROP TRIGGER at_commit ON {dataset.table}")
    assert dataset.publish(load_id) == (0, 1, 1, 1)


@pytest.mark.parametrize(
    ("action", "expected", "said"),
    [
        ("RAISE EXCEPTION 'not today'", LoadError, "a function that somebody has made refuses the publish, .*: not today"),
        ("PERFORM pg_terminate_backend(pg_backend_pid())", SinkError, "PostgreSQL gave up the publish"),
    ],
)
def test_an_error_of_the_commit_itself_is_one_of_ours(
    dataset: SmallDataset, admin: psycopg.Connection, action: str, expected: type[Exception], said: str
) -> None:
    """Of the ledger, as a deferred trigger of the table fires before the commit already."""
    load_id = dataset.land([("a", 9)])
    admin.execute(
        f"CREATE FUNCTION public.{dataset.table}_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NULL; END $$; "
        f"CREATE CONSTRAINT TRIGGER {dataset.table} AFTER UPDATE ON batchstream.loads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
        f"WHEN (NEW.load_id = {load_id} AND NEW.state = 'published') EXECUTE FUNCTION public.{dataset.table}_f()"
    )
    try:
        with pytest.raises(expected, match=said):
            dataset.publish(load_id)
        assert dataset.rows() == ROWS
    finally:
        admin.execute(f"DROP TRIGGER {dataset.table} ON batchstream.loads")
    assert state(admin, load_id) == "verified"
    dataset.publish(load_id)
    assert dataset.rows() == [("a", 9)]


def test_one_publish_of_a_dataset_at_a_time_until_its_commit(dataset: SmallDataset, admin: psycopg.Connection) -> None:
    """The second one begins when the first has committed: it finds the load published, and its own counts are the first's."""
    load_id = dataset.land([("a", 9)])
    landing = relations.landing(dataset.contract, load_id).as_string(admin)
    with locked(dataset, landing, "ROW EXCLUSIVE" if dataset.contract.publish is Publish.SWAP else "SHARE UPDATE EXCLUSIVE"):
        first = Background(dataset.publish, load_id)
        wait_until_blocked(admin, f"batchstream {dataset.table}")
        second = Background(dataset.publish, load_id)
        time.sleep(0.3)
        assert second.is_alive()
    first.wait()
    second.wait()
    assert first.error is None
    assert isinstance(second.error, LoadError) or second.result == first.result
    assert dataset.rows() == [("a", 9)]


def test_of_two_loads_of_a_dataset_one_is_published_at_a_time(dataset: SmallDataset, admin: psycopg.Connection) -> None:
    first = dataset.land([("a", 8)])
    admin.execute("UPDATE batchstream.loads SET seen_at = 'epoch' WHERE load_id = %s", [first])
    second = dataset.land([("a", 9)])
    # As if the one that was given up had not been.
    admin.execute("UPDATE batchstream.loads SET state = 'landed' WHERE load_id = %s", [first])
    landing = relations.landing(dataset.contract, first).as_string(admin)
    with locked(dataset, landing, "ROW EXCLUSIVE" if dataset.contract.publish is Publish.SWAP else "SHARE UPDATE EXCLUSIVE"):
        publishing = [Background(dataset.publish, first)]
        wait_until_blocked(admin, f"batchstream {dataset.table}")
        publishing.append(Background(dataset.publish, second))
        time.sleep(0.3)
        assert state(admin, second) == "landed"
    for each in publishing:
        each.wait()
        assert each.error is None
    assert dataset.rows() == [("a", 9)]


@pytest.mark.parametrize("way", list(Publish))
def test_a_long_publish_is_in_no_other_datasets_way(small: MakeDataset, admin: psycopg.Connection, way: Publish) -> None:
    dataset, other = small({"code": "text"}, key="code", publish=way), small({"code": "text"}, key="code", publish=way)
    for each in (dataset, other):
        each.load([("a",)])
    load_id = dataset.land([("b",)])
    # Inside the last transaction, which has changed the ledger already.
    with locked(dataset, dataset.table if way is Publish.MERGE else "batchstream.shown", "SHARE"):
        publishing = Background(dataset.publish, load_id)
        wait_until_blocked(admin, f"batchstream {dataset.table}")
        begun = time.monotonic()
        other.fail(other.open())
        assert time.monotonic() - begun < 2
        assert publishing.is_alive()
    publishing.wait()
    assert publishing.error is None
    assert dataset.rows() == [("b",)]
