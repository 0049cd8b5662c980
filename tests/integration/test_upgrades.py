"""Datasets of older releases are read and published on, in each way and from the first layout on."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from batchstream.contract.model import Publish
from batchstream.local.installation import Installation
from batchstream.paths import SQL_FOLDER
from batchstream.postgres import names
from tests.integration.conftest import MakeDataset
from tests.support.small import SmallDataset

LAYOUTS = sorted((Path(__file__).parent / "old_releases").glob("*.sql"))
BEFORE = [("a", 2), ("b", 2)]


@pytest.fixture(params=LAYOUTS, ids=lambda path: path.stem)
def old(
    request: pytest.FixtureRequest, installation: Installation, small: MakeDataset, admin: psycopg.Connection
) -> Iterator[SmallDataset]:
    """A dataset in a database of its own, as a release has left it after two loads."""
    layout: Path = request.param
    dbname = f"old_{layout.stem}"
    admin.execute(sql.SQL("CREATE DATABASE {} OWNER batchstream_owner").format(sql.Identifier(dbname)))
    with installation.postgres.connect(dbname) as connection:
        connection.execute((SQL_FOLDER / "setup" / "schemas.sql").read_bytes())
    dataset = small(
        {"code": "text", "v": "integer NULL"},
        key=None if layout.stem.endswith("by_the_number_of_the_record") else "code",
        indexed=["v"],
        name="fruit",
        publish=Publish.SWAP if layout.stem.startswith("swap") else Publish.MERGE,
        dbname=dbname,
    )
    with dataset.connect() as connection:
        connection.execute(layout.read_bytes())
    yield dataset
    admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(dbname)))


def test_a_dataset_of_an_older_release_is_published_and_read(old: SmallDataset) -> None:
    assert old.rows() == BEFORE
    load_id = old.land([("a", 3), ("c", 3)])
    assert load_id == 3
    assert old.rows() == BEFORE
    for role in (names.LOADER, names.READER):
        with old.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO public.fruit (code, v) VALUES ('x', 1)")
    with old.connect(names.LOADER) as connection:
        landings = connection.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'").fetchall()
        for (name,) in landings:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"INSERT INTO landing.{name} (record_id, code, v) VALUES (9, 'x', 9)")
    old.publish(load_id)
    assert old.rows() == [("a", 3), ("c", 3)]
    for value in range(4, 12):
        rows = [("a", value), ("c", 3)]
        old.load(rows)
        assert old.rows() == rows
    if old.contract.publish is Publish.MERGE:
        with old.connect() as connection:
            keys = connection.execute(
                "SELECT indisprimary FROM pg_index WHERE indrelid = 'public.fruit'::regclass AND indisunique"
            )
            assert keys.fetchall() == [(True,)]
    with old.connect(names.LOADER) as connection:
        connection.execute("SET ROLE batchstream_checker")
        assert connection.execute("SELECT count(*) FROM public.fruit").fetchone() == (2,)
