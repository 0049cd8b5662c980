"""One data set of 20,000 records with a column of each kind, written in many ways, gives one table."""

from pathlib import Path

import psycopg
import pytest

from batchstream.local.installation import Installation
from tests.support.ways import columns, make_rows, ways
from tests.support.whole import WholeDataset

RECORDS = 20_000


@pytest.mark.nightly
def test_each_way_gives_the_same_table(installation: Installation, admin: psycopg.Connection, tmp_path: Path) -> None:
    """The first load inserts all of them as they are, and each further one finds nothing to change."""
    table = {"name": "ways", "properties": columns()}
    dataset = WholeDataset(installation, tmp_path / "x", table)
    rows = make_rows(RECORDS)
    changes = []
    for number, way in enumerate(ways(rows)):
        dataset.settings = {"sourcePath": "x.csv", **way.settings}
        dataset.write(table)
        published = dataset.load_file(way.content)
        changes.append((way.name, *published))
        assert changes[-1][1:] == (RECORDS if number == 0 else 0, 0, 0, RECORDS), changes[-1]
    assert len(changes) >= 40
    assert dataset.rows(admin) == rows
