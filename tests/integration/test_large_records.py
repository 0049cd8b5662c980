"""Records that are larger than usual: from the source to what readers see, in messages and transactions of bounded size."""

import random
import string
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchstream.local.installation import Installation
from batchstream.postgres.landing import Landed
from batchstream.records.messages import Message
from batchstream.records.source_reader import MAX_BATCH_BYTES
from batchstream.spark import load
from batchstream.spark.micro_batches import BYTES_PER_TRANSACTION, MESSAGES_PER_TRANSACTION, land_in_chunks
from tests.support.pipeline import Pipeline
from tests.support.produce import run_operator
from tests.support.spark import SharedSpark

RECORDS, CHARACTERS = 250, 20_000


@pytest.fixture
def letters(installation: Installation, spark: SharedSpark, tmp_path: Path) -> Pipeline:
    """A dataset of long texts; a hundred of them are more than a message may be."""
    table = {
        "name": "letters",
        "quality": [{"type": "library", "metric": "rowCount", "mustBe": RECORDS}],
        "properties": [
            {"name": "number", "physicalType": "integer", "primaryKey": True, "primaryKeyPosition": 1, "required": True},
            {"name": "body", "physicalType": "text", "required": True},
        ],
    }
    head = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "letters", "version": "1.0.0", "status": "active"}
    path = tmp_path / "dags" / "contracts" / "letters.odcs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        yaml.safe_dump({**head, "schema": [table], "customProperties": [{"property": "sourcePath", "value": "data/letters.csv"}]})
    )
    (tmp_path / "data").mkdir()
    chosen = random.Random(506)
    bodies = ["".join(chosen.choices(string.ascii_letters, k=CHARACTERS)) for _ in range(RECORDS)]
    lines = ["number,body", *(f"{number},{body}" for number, body in enumerate(bodies))]
    (tmp_path / "data" / "letters.csv").write_text("\n".join([*lines, ""]))
    return Pipeline(installation, spark, path)


@pytest.mark.parametrize("most", [load.DRIVER_MESSAGES, -1], ids=["driver", "executors"])
def test_a_load_of_them_is_published(letters: Pipeline, admin: Any, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(load, "DRIVER_MESSAGES", most)
    assert RECORDS * CHARACTERS / 3 > 2 * MAX_BATCH_BYTES
    load_id = letters.open()
    letters.create_topic(load_id)
    status, output = run_operator(letters, load_id, "none", timeout_seconds=30)
    assert status == 0, output
    landed = letters.consume(load_id)
    assert (landed.records, landed.landed, landed.rejected) == (RECORDS, RECORDS, 0)
    assert landed.messages == letters.ledger(load_id)["produced_batches"] == 10
    passed, message = letters.verify(load_id)
    assert passed, message
    letters.publish(load_id)
    source = dict(line.split(",") for line in letters.contract.source.path.read_text().splitlines()[1:])
    found = admin.execute("SELECT number::text, body FROM letters").fetchall()
    assert len(found) == RECORDS
    assert dict(found) == source


class _Transactions:
    """In the place of a lander: how many messages each transaction has."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def land(self, _: Any, messages: list[Message]) -> Landed:
        self.sizes.append(len(messages))
        return Landed(messages=len(messages))


@pytest.mark.parametrize(
    ("value_bytes", "most"), [(10, MESSAGES_PER_TRANSACTION), (1024 * 1024, BYTES_PER_TRANSACTION // (1024 * 1024))]
)
def test_a_transaction_is_bounded_by_messages_and_by_bytes(value_bytes: int, most: int) -> None:
    transactions: Any = _Transactions()
    value = bytes(value_bytes)
    messages = [Message("t", 0, offset, b"", value) for offset in range(2 * most + 1)]
    assert land_in_chunks(transactions, transactions, messages).messages == len(messages)
    assert transactions.sizes == [most, most, 1]
