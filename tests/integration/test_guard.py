"""A load that would take most of a table away from its readers stops before the publish."""

from pathlib import Path

import psycopg
import pytest

from batchstream.contract.model import Publish
from batchstream.errors import LoadError
from batchstream.local.installation import Installation
from batchstream.postgres.publish import guard
from tests.integration.conftest import MakeDataset
from tests.support.whole import WholeDataset

COLUMNS = {"code": "integer", "v": "integer"}


def numbered(count: int, first: int = 0) -> list[tuple[int, int]]:
    return [(n, 1) for n in range(first, first + count)]


@pytest.mark.parametrize("way", list(Publish))
@pytest.mark.parametrize("key", ["code", None])
@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [(101, 50, 51), (1000, 0, 1000), (1000, 499, 501)],
)
def test_most_of_a_table_is_not_deleted_unasked(
    small: MakeDataset, admin: psycopg.Connection, way: Publish, key: str | None, before: int, after: int, gone: int
) -> None:
    dataset = small(COLUMNS, key=key, publish=way)
    dataset.load(numbered(before))
    load_id = dataset.land(numbered(after))
    said = (
        f"load {load_id}: {gone} of the {before} rows of '{dataset.table}' would be deleted, more than half; nothing was changed"
    )
    with pytest.raises(LoadError, match=said) as stopped:
        dataset.publish(load_id)
    assert "allow_changes" in str(stopped.value)
    assert dataset.rows() == numbered(before)
    assert dataset.publish(load_id, allow_deletes=True).published_rows == after
    assert dataset.rows() == numbered(after)


def test_a_run_with_the_parameter_may_delete_most_of_a_table(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path
) -> None:
    """As a task publishes: by what the ledger says of the run."""
    table = {"name": "most_goes", "properties": [{"name": "n", "physicalType": "integer", "primaryKey": True}]}
    dataset = WholeDataset(installation, tmp_path / "x", table)
    dataset.load([(n,) for n in range(200)])
    for refused in ({}, {"allow_changes": False}, {"override_checks": "the rule is wrong"}):
        dataset.parameters = refused
        with pytest.raises(LoadError, match="101 of the 200 rows of 'most_goes' would be deleted"):
            dataset.load([(n,) for n in range(99)])
        assert dataset.rows(admin) == [(n,) for n in range(200)]
    dataset.parameters = {"allow_changes": True}
    assert dataset.load([(n,) for n in range(99)]).deleted_rows == 101
    assert dataset.rows(admin) == [(n,) for n in range(99)]


@pytest.mark.parametrize("way", list(Publish))
def test_other_keys_are_deletions_too(small: MakeDataset, way: Publish) -> None:
    dataset = small(COLUMNS, key="code", publish=way)
    dataset.load(numbered(200))
    with pytest.raises(LoadError, match="101 of the 200 rows"):
        dataset.load(numbered(200, first=101))
    dataset.load(numbered(200, first=100))
    assert dataset.rows() == numbered(200, first=100)


@pytest.mark.parametrize("way", list(Publish))
@pytest.mark.parametrize(("before", "after"), [(100, 1), (100, 0), (101, 51), (1000, 500), (1, 1000)])
def test_what_is_allowed(small: MakeDataset, way: Publish, before: int, after: int) -> None:
    dataset = small(COLUMNS, key="code", publish=way)
    dataset.load(numbered(before))
    assert dataset.load(numbered(after)).published_rows == after
    assert dataset.rows() == numbered(after)


def test_a_large_swap_is_compared_by_a_sample_first(
    small: MakeDataset, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SAMPLE_ROWS", 10_000)
    dataset = small(COLUMNS, key="code", publish=Publish.SWAP)
    dataset.load(numbered(20_000))
    dataset.load(numbered(20_000, first=5_000))
    # Exact, also where the sample is suspicious and the whole is not.
    dataset.load(numbered(20_000, first=5_000 + 9_900))
    with pytest.raises(LoadError, match="15000 of the 20000 rows"):
        dataset.load(numbered(20_000, first=14_900 + 15_000))
