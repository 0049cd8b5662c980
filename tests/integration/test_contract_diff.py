"""The statements of `batchstream contract diff` make the table of the old contract that of the new one."""

import os
from pathlib import Path

import psycopg
import pytest

from batchstream.contract.model import Publish
from batchstream.errors import ContractError
from batchstream.local.installation import Installation
from batchstream.postgres.contract_changes import Meaning, changes
from tests.support.whole import WholeDataset

OLD = [("a", "integer", True), ("b", "text", False), ("C d", "integer", True), ("f", "varchar(9)", False), ("g", "date", True)]
NEW = [("a", "bigint", False), ("C d", "integer", False), ('e"', "date", False), ("f", "numeric(9,2)", True), ("g", "text", True)]
OLD_ROW, NEW_ROW = [1, "x", 2, "3.50", "2026-01-30"], [1, 2, "2026-01-31", "3.50", "2026-01-30"]


def table(name: str, columns: list[tuple[str, str, bool]]) -> dict[str, object]:
    return {
        "name": name,
        "properties": [{"name": column, "physicalType": kind, "required": required} for column, kind, required in columns],
    }


@pytest.mark.parametrize("way", list(Publish))
def test_what_is_to_be_done_is_enough(
    installation: Installation, admin: psycopg.Connection, tmp_path: Path, way: Publish
) -> None:
    name = f"changed by {way} {os.urandom(4).hex()}"
    dataset = WholeDataset(installation, tmp_path / "x", table(name, OLD), publish=str(way))
    dataset.load([OLD_ROW])
    old = dataset.contract
    dataset.write(table(name, NEW))
    with pytest.raises(ContractError):
        dataset.load([NEW_ROW])
    found = list(changes(old, dataset.contract))
    statements = [one.sentence.partition(": ")[2] for one in found if one.meaning is not Meaning.CHANGES]
    assert len(statements) == 6
    if way is Publish.SWAP:
        # A view keeps the types of its time.
        admin.execute(f'DROP VIEW public."{name}"')
    for statement in statements:
        admin.execute(statement.encode())
    assert dataset.load([NEW_ROW]).published_rows == 1
