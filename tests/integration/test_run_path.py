"""A load keeps the path that its source had in the run that opened it."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from batchstream.errors import LoadError, SourceError
from batchstream.load import close, open
from batchstream.load.pinned import pinned_contract
from batchstream.local.installation import Installation
from batchstream.postgres.opening import Run
from tests.support.whole import WholeDataset

TABLE = {"name": "dated", "properties": [{"name": "n", "physicalType": "integer"}]}
RUN = Run("dated", words={"ds": "2026-01-31"})


def test_the_path_of_a_run_is_noted(installation: Installation, admin: psycopg.Connection, tmp_path: Path) -> None:
    dataset = WholeDataset(installation, tmp_path / "x", TABLE, sourcePath="day-{{ ds }}.csv")
    (tmp_path / "x" / "day-2026-01-31.csv").write_text("n\n1\n")
    load_id = open.open_load(dataset.engines.owner, dataset.contract, RUN)
    assert pinned_contract(admin, load_id).source.path == tmp_path / "x" / "day-2026-01-31.csv"
    with pytest.raises(LoadError, match="was not published"):
        close.close_load(dataset.engines, load_id)
    with pytest.raises(SourceError, match="this run has no logical date"):
        open.open_load(dataset.engines.owner, dataset.contract, replace(RUN, run_id="undated", words={}))
    (reason,) = admin.execute("SELECT reason FROM batchstream.loads WHERE run_id = 'undated'").fetchone() or (None,)
    assert "this run has no logical date" in str(reason)
    with pytest.raises(SourceError, match=r"day-2026-02-01\.csv: the source can't be read: No such file"):
        open.open_load(dataset.engines.owner, dataset.contract, replace(RUN, run_id="too early", words={"ds": "2026-02-01"}))
