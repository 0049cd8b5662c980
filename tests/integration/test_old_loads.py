"""Old loads of a swap go when nobody can see them, and nobody waits for that."""

import time

import psycopg
import pytest

from batchstream.contract.model import Publish
from batchstream.postgres import names
from batchstream.postgres.housekeeping import KEPT_LOADS
from tests.integration.conftest import MakeDataset
from tests.support.small import SmallDataset

LOADS = KEPT_LOADS + 2


@pytest.fixture
def dataset(small: MakeDataset) -> SmallDataset:
    return small({"code": "text", "v": "integer"}, key="code", publish=Publish.SWAP)


def partitions(admin: psycopg.Connection, dataset: SmallDataset) -> int:
    row = admin.execute(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass(%s)", [f"published.{dataset.table}"]
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_long_reader_keeps_old_loads_and_delays_nobody(dataset: SmallDataset, admin: psycopg.Connection) -> None:
    dataset.load([("a", 0)])
    with dataset.connect(names.READER) as reader, reader.transaction():
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen = reader.execute(f"SELECT v FROM {dataset.table}").fetchall()
        for value in range(1, LOADS + 1):
            load_id = dataset.land([("a", value)])
            dataset.publish(load_id)
        begun = time.monotonic()
        dataset.fail(dataset.open())
        assert time.monotonic() - begun < 1.5
        assert reader.execute(f"SELECT v FROM {dataset.table}").fetchall() == seen
        assert partitions(admin, dataset) == LOADS + 1
    dataset.load([("a", 99)])
    assert partitions(admin, dataset) <= KEPT_LOADS


def test_readers_that_come_and_go_keep_nothing(dataset: SmallDataset, admin: psycopg.Connection) -> None:
    for value in range(LOADS):
        dataset.load([("a", value)])
        with dataset.connect(names.READER) as reader:
            assert reader.execute(f"SELECT v FROM {dataset.table}").fetchall() == [(value,)]
    assert partitions(admin, dataset) == KEPT_LOADS


@pytest.mark.parametrize("way", list(Publish))
def test_a_view_of_somebodys_on_an_old_load_fails_no_load(small: MakeDataset, admin: psycopg.Connection, way: Publish) -> None:
    dataset = small({"code": "text", "v": "integer"}, key="code", publish=way)
    # Others are outdated after those of the views.
    for value in range(LOADS + 3):
        load_id = dataset.land([("a", value)])
        if value in (1, 2):
            admin.execute(f"CREATE VIEW public.{dataset.table}_{value} AS SELECT * FROM landing.{dataset.table}_{load_id}")
        dataset.publish(load_id)
        assert dataset.rows() == [("a", value)]
    left = admin.execute(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ %s", [f"^{dataset.table}_[0-9]+$"]
    ).fetchone()
    # Those of the views, and the kept ones.
    assert left == (KEPT_LOADS + 2,)


@pytest.mark.parametrize("way", list(Publish))
def test_a_reader_of_old_loads_by_their_own_names_delays_nobody_and_keeps_only_those(
    small: MakeDataset, admin: psycopg.Connection, way: Publish
) -> None:
    dataset = small({"code": "text", "v": "integer"}, key="code", publish=way)
    dataset.load([("a", 0)])
    read = []
    with dataset.connect(names.OWNER) as reader, reader.transaction():
        for value in range(1, KEPT_LOADS + 9):
            load_id = dataset.land([("a", value)])
            dataset.publish(load_id)
            # Many of them, as pg_dump holds all.
            if value < 9:
                reader.execute(f"SELECT FROM landing.{dataset.table}_{load_id}")
                read.append(load_id)
        begun = time.monotonic()
        dataset.fail(dataset.open())
        assert time.monotonic() - begun < 1.5
    dataset.load([("a", 99)])
    left = admin.execute(
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname = ANY (%s)", [[f"{dataset.table}_{n}" for n in read]]
    ).fetchone()
    assert left == (0,)
