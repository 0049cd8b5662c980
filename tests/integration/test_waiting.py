"""A source that is not there yet is waited for if its contract says so: nothing is opened meanwhile, and one error ends it."""

from pathlib import Path

import psycopg
import pytest

from batchstream.errors import LoadError, SourceAwaitedError, SourceError
from batchstream.load import close, open
from batchstream.local.installation import Installation
from batchstream.postgres import migrations
from batchstream.postgres.connection import connect
from batchstream.postgres.opening import Run
from tests.support.http_files import http_files
from tests.support.whole import WholeDataset


def write(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("n\n1\n")


@pytest.mark.parametrize(
    ("source_path", "beside", "awaited"),
    [
        ("day-{{ ds }}.csv", "day-2026-01-30.csv", "day-2026-01-31.csv"),
        ("{{ ds }}/*.csv", "2026-01-31/readme.txt", "2026-01-31/a.csv"),
        ("folder/", "folder/.unfinished", "folder/a.csv"),
    ],
    ids=["file", "pattern", "folder"],
)
def test_a_source_is_waited_for(
    source_path: str, beside: str, awaited: str, installation: Installation, admin: psycopg.Connection, tmp_path: Path
) -> None:
    table = {"name": f"awaited {source_path}", "properties": [{"name": "n", "physicalType": "integer"}]}
    dataset = WholeDataset(installation, tmp_path / "x", table, sourcePath=source_path, sourceWaitMinutes=2)
    owner, contract, run = dataset.engines.owner, dataset.contract, Run(source_path, words={"ds": "2026-01-31"})
    write(tmp_path / "x" / beside)
    with connect(owner, application_name="batchstream test") as connection:
        migrations.migrate(connection)
    loads = "SELECT state, reason FROM batchstream.loads WHERE dataset = %s ORDER BY load_id"
    with pytest.raises(SourceAwaitedError, match="the source is not there yet; sourceWaitMinutes is 2"):
        open.open_load(owner, contract, run, waited_seconds=119)
    assert admin.execute(loads, [contract.name]).fetchall() == []
    with pytest.raises(SourceError, match="is not there after 2 minutes, and sourceWaitMinutes is 2; put it there"):
        open.open_load(owner, contract, run, waited_seconds=120)
    ((state, reason),) = admin.execute(loads, [contract.name]).fetchall()
    assert (state, "is not there after 2 minutes" in reason) == ("failed", True)
    write(tmp_path / "x" / awaited)
    load_id = open.open_load(owner, contract, run, waited_seconds=119)
    with pytest.raises(LoadError, match="was not published"):
        close.close_load(dataset.engines, load_id)


def test_a_source_on_another_machine_is_waited_for(installation: Installation, tmp_path: Path) -> None:
    table = {"name": "awaited there", "properties": [{"name": "n", "physicalType": "integer"}]}
    with http_files() as server:
        dataset = WholeDataset(installation, tmp_path / "x", table, sourcePath=server.url("/day.csv"), sourceWaitMinutes=2)
        owner, contract, places = dataset.engines.owner, dataset.contract, dataset.engines.places
        with pytest.raises(SourceAwaitedError, match="the source is not there yet; sourceWaitMinutes is 2"):
            open.open_load(owner, contract, Run("there"), waited_seconds=119, places=places)
        with pytest.raises(SourceError, match="is not there after 2 minutes, and sourceWaitMinutes is 2; put it there"):
            open.open_load(owner, contract, Run("there"), waited_seconds=120, places=places)
        server.put("/day.csv", b"n\n1\n")
        assert dataset.load_as_it_is().inserted_rows == 1


def test_a_source_that_may_not_be_read_is_not_waited_for(installation: Installation, tmp_path: Path) -> None:
    table = {"name": "never there", "properties": [{"name": "n", "physicalType": "integer"}]}
    dataset = WholeDataset(installation, tmp_path / "x", table, sourcePath="secrets/x.csv", sourceWaitMinutes=2)
    with pytest.raises(SourceError, match="a hidden file or a secret"):
        open.open_load(dataset.engines.owner, dataset.contract, Run("never"))
