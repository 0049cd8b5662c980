"""Each sentence of the checks, provoked: what no test turns red may be broken without anybody noticing."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from open_data_contract_standard.model import DataQuality
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.contract.quality import read_check
from batchstream.postgres import checks, relations
from tests.support.landing import Landing
from tests.support.pipeline import Pipeline

LEDGER = "UPDATE batchstream.loads SET {} WHERE load_id = {{load_id}}"
QUARANTINE = (
    'INSERT INTO batchstream.quarantine (load_id, topic, partition, "offset", position, record_id, raw, reason, replayed_at) '
    "VALUES ({{load_id}}, 'topic', 0, 7, {}, {}, 'raw', 'why', {})"
)
FOREIGN = f"{QUARANTINE.format('NULL', 'NULL', 'NULL')}; SELECT batchstream.count_rejected({{load_id}}, 0, ARRAY[7])"

# What is done to a load that has landed whole → what the check says of it.
FAULTS = {
    LEDGER.format("state = 'produced', reason = NULL"): "is produced, not landed: consume_stream has not finished",
    LEDGER.format("state = 'failed', reason = 'the cause'"): "is failed, not landed: the cause",
    LEDGER.format("source_records = 505"): "the contract expects 506 records, the source has 505",
    LEDGER.format("produced_records = 505"): "the source has 506 records, 0 of them bad, the broker acknowledged 505: lost in "
    "produce_batches",
    FOREIGN: "1 messages of the topic were rejected whole, which no allowance covers. The first, at partition 0 offset 7 "
    "position none (the whole message): why; raw text: raw. Find who sent it",
    QUARANTINE.format(
        3, 4, "NULL"
    ): "1 rejected, the contract allows 0. The first, at partition 0 offset 7 position 3: why; raw text: "
    'raw. Mend the cause, then "batchstream replay',
    LEDGER.format("source_rejected_records = 1, produced_records = 505"): "1 rejected, the contract allows 0",
    LEDGER.format("produced_batches = 7"): "the broker acknowledged 7 batches, Spark read 6: lost between the topic and Spark",
    "UPDATE batchstream.batches SET records = records - 1 WHERE load_id = {load_id} AND batch = 1": "the broker acknowledged 506 "
    "records, Spark read 505: lost between the topic and Spark",
    LEDGER.format("consumed_records = 505"): "Spark reported 505 records, the inbox has 506: batches arrived after the load was "
    "landed",
    "DELETE FROM {landing} WHERE record_id = 7": "Spark landed 506 records, the landing has 505: lost in the landing table",
    "UPDATE {landing} SET record_id = 8 WHERE record_id = 7": "the landing has 506 records but only 505 distinct record ids",
    "UPDATE {landing} SET record_id = 507 WHERE record_id = 7": "record id 507 has landed, the source ends at 506",
    "DELETE FROM {landing} WHERE record_id = 7; "
    "UPDATE batchstream.batches SET landed = landed - 1 WHERE load_id = {load_id} AND batch = 1": "506 records produced, 505 "
    "landed, 0 filtered out, 0 quarantined: they do not add up",
    "UPDATE batchstream.batches SET filtered = 1 WHERE load_id = {load_id} AND batch = 1": "506 records produced, 506 landed, 1 "
    "filtered out, 0 quarantined: they do not add up",
    "DELETE FROM batchstream.loads WHERE load_id = {load_id}": "not in the ledger",
}


def test_every_fault_of_the_counts_is_told(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    load_id = pipeline.land()
    contract = pipeline.contract
    check = checks.row_count(contract, load_id)
    names = {"load_id": sql.Literal(load_id), "landing": relations.landing(contract, load_id)}
    assert admin.execute(check).fetchone() == (True, f"load {load_id} of {contract.name}: all counts agree")
    for fault, said in FAULTS.items():
        with admin.transaction(force_rollback=True):
            for statement in fault.split("; "):
                admin.execute(sql.SQL(statement).format(**names))
            passed, message = admin.execute(check).fetchone() or (None, "")
        assert (passed, said in message) == (False, True), f"{fault}: expected '{said}', got '{message}'"
        assert message.startswith(f"load {load_id} of {contract.name}: ")
        # A message that was rejected whole can't be replayed; a rejected record can.
        assert ("replay" in message) == ("rejected, the contract allows" in message)


def rules(contract: Contract, *wanted: tuple[dict[str, Any], str | None]) -> Contract:
    names = {column.source_name: column.name for column in contract.columns}
    found = tuple(read_check(DataQuality(**rule), column, contract.name, names) for rule, column in wanted)
    return replace(contract, checks=tuple(check for check in found if check is not None))


# A rule that holds for housing, the column it stands under, what makes it break, and what is measured then.
RULES: list[tuple[dict[str, Any], str | None, dict[str, Any], str]] = [
    ({"type": "library", "metric": "rowCount", "mustBe": 506}, None, {"mustBe": 507}, "506"),
    ({"type": "library", "metric": "nullValues", "mustBe": 0}, "medv", {"mustBe": 1}, "0"),
    ({"type": "library", "metric": "missingValues", "mustBe": 0}, "medv", {"mustBe": 1}, "0"),
    ({"type": "library", "metric": "duplicateValues", "mustBeGreaterThan": 0}, "chas", {"mustBeGreaterThan": 504}, "504"),
    ({"metric": "missingValues", "arguments": {"missingValues": [None, 1]}, "mustBe": 35}, "chas", {"mustBe": 0}, "35"),
    ({"metric": "invalidValues", "arguments": {"validValues": [0, 1]}, "mustBe": 0}, "chas", {"mustBe": 1}, "0"),
    ({"metric": "invalidValues", "arguments": {"validValues": ["0"]}, "mustBe": 35}, "chas", {"mustBe": 1}, "35"),
    ({"metric": "invalidValues", "arguments": {"pattern": "^[0-9]{1}$"}, "mustBe": 132}, "rad", {"mustBe": 1}, "132"),
    ({"metric": "nullValues", "unit": "percent", "mustBe": 0}, "medv", {"mustBe": 1}, "0.00000000000000000000"),
    (
        {"metric": "duplicateValues", "unit": "percent", "mustBeLessThan": 100},
        "chas",
        {"mustBeLessThan": 99},
        "99.6047430830039526",
    ),
    (
        {"metric": "duplicateValues", "arguments": {"properties": ["chas", "rad"]}, "mustBeGreaterThan": 0},
        None,
        {"mustBeGreaterThan": 1000},
        "491",
    ),
    *(
        ({"type": "sql", "query": "SELECT max({property}) FROM {object}", **holds}, "rad", breaks, "24")
        for holds, breaks in [
            ({"mustBe": 24}, {"mustBe": 25}),
            ({"mustNotBe": 25}, {"mustNotBe": 24}),
            ({"mustBeGreaterThan": 23}, {"mustBeGreaterThan": 24}),
            ({"mustBeGreaterOrEqualTo": 24}, {"mustBeGreaterOrEqualTo": 25}),
            ({"mustBeLessThan": 25}, {"mustBeLessThan": 24}),
            ({"mustBeLessOrEqualTo": 24}, {"mustBeLessOrEqualTo": 23}),
            ({"mustBeBetween": [24, 25]}, {"mustBeBetween": [1, 23]}),
            ({"mustNotBeBetween": [1, 23]}, {"mustNotBeBetween": [24, 25]}),
        ]
    ),
    ({"type": "sql", "query": "SELECT 1", "mustBe": 1}, None, {"query": "SELECT NULL::int"}, "NULL"),
]


@pytest.fixture
def landing(pipeline: Pipeline, admin: psycopg.Connection) -> Landing:
    found = Landing(pipeline, admin, pipeline.contract)
    found.land(found.messages)
    return found


def test_each_kind_of_rule_that_is_broken_alone_makes_the_check_red(landing: Landing) -> None:
    """One broken among many that hold: red, and it is the one that is named."""

    def measured(*wanted: tuple[dict[str, Any], str | None]) -> tuple[Any, ...]:
        contract = rules(landing.contract, *wanted)
        row = landing.admin.execute(checks.quality_rules(contract, landing.load_id, has_target=False)).fetchone()
        assert row is not None
        return row

    good = [({"name": f"rule {number}", **rule}, column) for number, (rule, column, _, _) in enumerate(RULES)]
    assert measured(*good) == (True, f"every quality rule of {landing.contract.name} holds")
    for number, (rule, column, breaks, value) in enumerate(RULES):
        operator = next(name for name in rule if name.startswith("must"))
        kept = {name: found for name, found in rule.items() if name != operator or operator not in breaks}
        broken = ({"name": f"rule {number}", **kept, **breaks}, column)
        assert measured(*good[:number], broken, *good[number + 1 :]) == (False, f"rule {number}: got {value}")
        warning = ({**broken[0], "severity": "warning"}, column)
        assert measured(*good[:number], warning, *good[number + 1 :]) == (
            True,
            f"every quality rule of {landing.contract.name} that stops a load holds; warning: rule {number}: got {value}",
        )
    both = [
        ({"name": name, "metric": "rowCount", "mustBe": 5, "severity": severity}, None)
        for name, severity in (("a", "error"), ("b", "info"))
    ]
    assert measured(*both) == (False, "a: got 506; warning: b: got 506")


def test_what_readers_see_is_compared_with_the_ledger(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.reload()
    contract = pipeline.contract
    (load_id,) = admin.execute("SELECT max(load_id) FROM batchstream.loads WHERE dataset = %s", [contract.name]).fetchone() or (
        0,
    )
    check = checks.published(contract, load_id)
    target = relations.target(contract)
    said = (
        f"load {load_id} of {contract.name} is {{}} and published {{}} rows; {contract.name} has {{}}, the contract expects 506"
    )
    assert admin.execute(check).fetchone() == (True, said.format("published", 506, 506))
    for fault, values in {
        "DELETE FROM {target} WHERE id = 7": ("published", 506, 505),
        "UPDATE batchstream.loads SET published_rows = 505 WHERE load_id = {load_id}": ("published", 505, 506),
        "UPDATE batchstream.loads SET state = 'failed' WHERE load_id = {load_id}": ("failed", 506, 506),
        "DELETE FROM {target} WHERE id = 7; UPDATE batchstream.loads SET published_rows = 505 WHERE load_id = {load_id}": (
            "published",
            505,
            505,
        ),
    }.items():
        with admin.transaction(force_rollback=True):
            for statement in fault.split("; "):
                admin.execute(sql.SQL(statement).format(target=target, load_id=sql.Literal(load_id)))
            assert admin.execute(check).fetchone() == (False, said.format(*values))
