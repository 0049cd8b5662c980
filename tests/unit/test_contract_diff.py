"""What a changed contract means: each difference once, and whom it concerns."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.cli.contract_diff import diff
from batchstream.contract import Contract
from batchstream.postgres.contract_changes import Change, Meaning, changes
from tests.conftest import HOUSING, ORDERS
from tests.unit.building import edited, make_contract

A = {"name": "a", "physicalType": "integer", "required": True}
B = {"name": "b", "physicalType": "text"}
STORED = {"property": "stored", "value": False}


def contract(folder: Path, *properties: dict[str, Any], **settings: Any) -> Contract:
    return make_contract(folder, list(properties or (A, B)), **settings)


CASES = [
    ({"properties": (A, B)}, []),
    ({"properties": (B, A)}, []),
    (
        {"properties": (A, {**B, "transformLogic": "upper(c)"}, {**B, "name": "c", "customProperties": [STORED]})},
        [(Meaning.CHANGES, "what Spark computes of 'b' is 'upper(c)' and no longer None")],
    ),
    ({"recordFilter": "a > 3"}, [(Meaning.CHANGES, "recordFilter is 'a > 3' and no longer None")]),
    (
        {"properties": (A, B, {"name": "C", "physicalType": "date"})},
        [(Meaning.STOPS, 'column \'C\' is new (date): ALTER TABLE "public"."x" ADD COLUMN "C" date')],
    ),
    ({"properties": (A,)}, [(Meaning.BREAKS, 'column \'b\' is gone: ALTER TABLE "public"."x" DROP COLUMN "b"')]),
    (
        {"properties": ({**A, "physicalType": "bigint"}, B)},
        [
            (
                Meaning.BREAKS,
                "column 'a' is bigint NOT NULL and no longer integer NOT NULL: "
                'ALTER TABLE "public"."x" ALTER COLUMN "a" TYPE bigint',
            )
        ],
    ),
    (
        {"properties": (A, {**B, "required": True})},
        [
            (
                Meaning.STOPS,
                'column \'b\' is text NOT NULL and no longer text: ALTER TABLE "public"."x" ALTER COLUMN "b" SET NOT NULL',
            )
        ],
    ),
    (
        {"properties": ({**A, "required": False}, B)},
        [
            (
                Meaning.BREAKS,
                'column \'a\' is integer and no longer integer NOT NULL: ALTER TABLE "public"."x" ALTER COLUMN "a" DROP NOT NULL',
            )
        ],
    ),
    (
        {"properties": (A, {**B, "physicalType": "date", "required": True})},
        [
            (
                Meaning.BREAKS,
                "column 'b' is date NOT NULL and no longer text: "
                'ALTER TABLE "public"."x" ALTER COLUMN "b" TYPE date USING "b"::date, ALTER COLUMN "b" SET NOT NULL',
            )
        ],
    ),
    (
        {"properties": ({**A, "primaryKey": True}, B)},
        [
            (
                Meaning.STOPS,
                "the key is a and no longer the number of the record: rename the table, and the next load makes it anew",
            ),
            (Meaning.CHANGES, "rule 'a: duplicateValues mustBe 0' is new"),
        ],
    ),
    (
        {"properties": ({**A, "logicalTypeOptions": {"minimum": 0}}, B)},
        [(Meaning.CHANGES, "column 'a' has other rules: records that break them are rejected")],
    ),
    (
        {"publish": "swap"},
        [(Meaning.STOPS, "publish is swap and no longer merge: rename the table")],
    ),
    (
        {"topicPartitions": 3},
        [(Meaning.STOPS, "topic 'x-data' has other settings: change them on the broker")],
    ),
    ({"sourcePath": "data/y.csv"}, [(Meaning.CHANGES, "the source is data/y.csv and no longer data/x.csv")]),
    ({"sourceNull": "NA"}, [(Meaning.CHANGES, "the source is read by other settings")]),
    ({"schedule": "@weekly"}, [(Meaning.CHANGES, "the schedule is @weekly and no longer @daily")]),
    ({"rejectedRecordsAllowed": 5}, [(Meaning.CHANGES, "rejectedRecordsAllowed is 5 and no longer 0")]),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_each_difference_is_said(change: dict[str, Any], expected: list[tuple[Meaning, str]], tmp_path: Path) -> None:
    properties = change.pop("properties", (A, B))
    found = list(changes(contract(tmp_path / "old"), contract(tmp_path / "new", *properties, **change)))
    assert [one.meaning for one in found] == [meaning for meaning, _ in expected]
    assert all(one.sentence.startswith(said) for one, (_, said) in zip(found, expected, strict=True)), found


def test_a_column_with_an_index_and_another_name_of_the_table(tmp_path: Path) -> None:
    indexed = {**B, "customProperties": [{"property": "indexed", "value": True}]}
    found = list(changes(contract(tmp_path / "old"), contract(tmp_path / "new", A, indexed)))
    assert found == [Change(Meaning.CHANGES, "column 'b' is indexed from the next load on")]


def test_the_command_fails_if_something_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = edited(tmp_path, HOUSING, ("name: crim", "name: crime"))
    assert diff([HOUSING, new]) == 1
    told = capsys.readouterr().out
    assert told.index("breaks readers: column 'crim' is gone") < told.index("stops loads: column 'crime' is new")
    assert diff([HOUSING, HOUSING]) == 0
    assert "the contracts mean the same" in capsys.readouterr().out
    assert diff([HOUSING, ORDERS]) == 1
    assert "breaks readers: the table is called 'orders' and no longer 'housing'" in capsys.readouterr().out
    assert diff([HOUSING]) == 2
