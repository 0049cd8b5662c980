"""A replay goes by its load's contract as it is now, looks at no other one, and at its load when nobody else may change it."""

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from batchstream.errors import LoadError
from batchstream.local.installation import Installation
from batchstream.postgres import locks
from batchstream.postgres.connection import connect
from tests.faults.conftest import wait_until_blocked
from tests.support.background import Background
from tests.support.whole import WholeDataset
from tests.support.written import as_yaml

ROWS = [(1, 10), (2, 20), (3, 30)]


def table(name: str, maximum: int) -> dict[str, Any]:
    """Two columns that could take each other's values."""
    limited = {"name": "v", "physicalType": "integer", "logicalTypeOptions": {"maximum": maximum}}
    all_three = {"type": "sql", "query": "SELECT count(*) FROM {object}", "mustBe": 3}
    return {"name": name, "quality": [all_three], "properties": [{"name": "n", "physicalType": "integer"}, limited]}


def failed(installation: Installation, folder: Path, name: str) -> tuple[WholeDataset, int]:
    """A load that has landed without its last record, and is red for that."""
    dataset = WholeDataset(installation, folder, table(name, 20), rejectedRecordsAllowed=1)
    load_id = dataset.land(ROWS)
    dataset.fail(load_id, "a record is missing")
    return dataset, load_id


def test_a_mended_contract_with_its_columns_in_another_order_beside_broken_ones(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path
) -> None:
    dataset, load_id = failed(installation, tmp_path / "x", "reordered")
    mended = table("reordered", 30)
    mended["properties"].reverse()
    dataset.write(mended)
    (dataset.path.parent / "broken.odcs.yaml").write_text("schema: [")
    document = yaml.safe_load(dataset.path.read_text())
    document["schema"].append({"name": "broken too", "properties": []})
    dataset.path.write_text(as_yaml(document))
    assert "1 records replayed, published" in dataset.replay(load_id)
    assert admin.execute("SELECT n, v FROM reordered ORDER BY n").fetchall() == ROWS


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        ("UPDATE batchstream.loads SET state = 'published' WHERE load_id = {}", "is published; only a load that landed"),
        (
            "INSERT INTO batchstream.loads (load_id, dataset, dag_id, run_id, installation, run_kind, state, published_rows, "
            "contract_version, source_path, topic) OVERRIDING SYSTEM VALUE SELECT (SELECT max(load_id) + 1 FROM "
            "batchstream.loads), dataset, dag_id, 'newer', installation, run_kind, 'published', 3, contract_version, "
            "source_path, topic FROM batchstream.loads WHERE load_id = {}",
            r"load \d+ of overtaken_\w+ is newer",
        ),
    ],
    ids=["another replay", "another run"],
)
def test_what_others_did_while_it_waited_for_them_counts(
    installation: Installation,
    admin: psycopg.Connection,
    tmp_path: Path,
    meanwhile: str,
    said: str,
) -> None:
    name = f"overtaken_{os.urandom(4).hex()}"
    dataset, load_id = failed(installation, tmp_path / "x", name)
    dataset.write(table(name, 30))
    with connect(dataset.engines.owner, application_name="batchstream test") as other:
        with other.transaction():
            locks.opening(other, name)
            replaying = Background(dataset.replay, load_id)
            wait_until_blocked(admin, "batchstream replay")
            admin.execute(sql.SQL(meanwhile).format(load_id))
        replaying.wait()
    assert isinstance(replaying.error, LoadError)
    with pytest.raises(LoadError, match=said):
        raise replaying.error
    assert admin.execute("SELECT to_regclass(%s)", [f"public.{name}"]).fetchone() == (None,)


def test_an_allowance_that_was_raised_counts_though_nothing_lands(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path
) -> None:
    dataset, load_id = failed(installation, tmp_path / "x", "allowed_later")
    without_rule = {name: value for name, value in table("allowed_later", 20).items() if name != "quality"}
    dataset.settings["rejectedRecordsAllowed"] = 0
    dataset.write(without_rule)
    with pytest.raises(LoadError, match=r"0 records replayed, nothing was published: .*1 rejected, the contract allows 0"):
        dataset.replay(load_id)
    dataset.settings["rejectedRecordsAllowed"] = 1
    dataset.write(without_rule)
    assert "0 records replayed, published" in dataset.replay(load_id)
    assert admin.execute("SELECT n, v FROM allowed_later ORDER BY n").fetchall() == ROWS[:2]
