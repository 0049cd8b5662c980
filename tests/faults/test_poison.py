"""Messages that don't belong: every bad record costs itself, lies in the quarantine, and keeps the load from being published."""

import json
from typing import Any

import psycopg
import pytest

from batchstream.cli import replay as command
from batchstream.errors import LoadError
from batchstream.postgres import ledger
from batchstream.postgres.publish.steps import Published
from batchstream.records.messages import Signer
from tests.support.pipeline import Pipeline

Messages = list[tuple[bytes | None, bytes | None]]


def started(pipeline: Pipeline) -> tuple[int, Messages]:
    """A load, and the six messages that it would send."""
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    return load_id, list(pipeline.messages(load_id)[0])


def with_values(value: bytes | None, changes: dict[int, bytes]) -> bytes:
    """A batch with some of its records replaced, by position."""
    assert value is not None
    records: list[Any] = [json.dumps(record).encode() for record in json.loads(value)]
    for position, raw in changes.items():
        records[position] = raw
    return b"[" + b",".join(records) + b"]"


def record_with(value: bytes | None, column: str, text: bytes) -> bytes:
    """The first record of a batch with another JSON text for one column."""
    assert value is not None
    record = {name: json.dumps(found).encode() for name, found in json.loads(value)[0].items()}
    return b"{" + b",".join(b'"%s":%s' % (n.encode(), found) for n, found in {**record, column: text}.items()) + b"}"


def test_each_bad_record_costs_one_record_and_the_message_names_the_first(pipeline: Pipeline, previous: str, path: str) -> None:
    load_id, messages = started(pipeline)
    key, first = messages[0]
    good = json.loads(first or b"")[0]
    missing = {name: value for name, value in good.items() if name != "rad"}
    bad = {
        3: record_with(first, "tax", b'"296"'),
        10: record_with(first, "tax", b"NaN"),
        11: record_with(first, "crim", b"Infinity"),
        12: record_with(first, "crim", b"1e400"),
        13: record_with(first, "tax", b"2147483648"),
        14: record_with(first, "tax", b"296.5"),
        15: record_with(first, "medv", b"null"),
        16: record_with(first, "zn", b"100.5"),
        17: json.dumps(missing).encode(),
        18: json.dumps({**good, "extra": 1}).encode(),
        19: b"null",
        20: b"[]",
        21: record_with(first, "crim", b'"' + b"x" * 5_000_000 + b'"'),
    }
    messages[0] = (key, with_values(first, bad))
    pipeline.produce(load_id, pipeline.sign_again(load_id, messages))
    consumed = pipeline.consume(load_id)
    assert (consumed.landed, consumed.rejected) == (506 - len(bad), len(bad))
    found = pipeline.quarantine(load_id)
    offset = pipeline.ledger(load_id)["start_offsets"]["0"]
    assert [(row[0], row[1], row[2], row[3]) for row in found] == [(0, offset, position, position + 1) for position in bad]
    assert [row[4] for row in found] == [raw.decode() for raw in bad.values()]
    assert all(reason for *_, reason in found)
    passed, message = pipeline.verify(load_id)
    assert not passed
    assert f"partition 0 offset {offset} position 3: column 'tax'" in message
    assert f"batchstream replay {load_id}" in message
    assert pipeline.checksum() == previous


def test_whole_messages_that_are_no_batch_are_quarantined_and_the_others_land(
    pipeline: Pipeline, previous: str, path: str
) -> None:
    load_id, messages = started(pipeline)
    (key_2, _), (key_3, _), (key_4, _), (key_5, value_5) = messages[1:5]
    messages[1:5] = pipeline.sign_again(load_id, [(key_2, b"not JSON"), (key_3, b"{}"), (key_4, b"[]"), (key_5, None)])
    foreign: Messages = [
        (None, value_5),
        (b"", value_5),
        (b"somebody else's", b"\xff\xfe\x00"),
        (b'{"load_id":1}', b"[1]"),
        (Signer(load_id + 1_000_000, 1, bytes(32)).key(1, 1, value_5 or b""), value_5),
    ]
    pipeline.produce(load_id, [*foreign, *messages])
    consumed = pipeline.consume(load_id)
    assert (consumed.messages, consumed.landed, consumed.rejected, consumed.other_loads) == (11, 106, 8, 1)
    found = pipeline.quarantine(load_id)
    assert len(found) == 8
    assert all(position is None and record_id is None and reason for _, _, position, record_id, _, reason in found)
    passed, message = pipeline.verify(load_id)
    assert not passed
    assert "the message has no key" in message
    assert pipeline.checksum() == previous
    pipeline.fail(load_id, message)
    pipeline.reload()
    assert pipeline.shows_source()


def test_a_contract_may_allow_some_rejected_records(pipeline: Pipeline, previous: str, path: str) -> None:
    pipeline.expect_any_source()
    pipeline.allow_rejected(1)
    load_id, messages = started(pipeline)
    messages[0] = (messages[0][0], with_values(messages[0][1], {99: b"{}"}))
    pipeline.produce(load_id, pipeline.sign_again(load_id, messages))
    pipeline.consume(load_id)
    passed, message = pipeline.verify(load_id)
    assert passed, message
    assert pipeline.publish(load_id).published_rows == 505
    assert len(pipeline.quarantine(load_id)) == 1


def test_after_the_cause_is_mended_the_quarantine_is_replayed_and_the_load_published(
    pipeline: Pipeline, previous: str, admin: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pipeline.contract.source.path
    mended = pipeline.contract_path.read_text()

    def forbid(document: dict[str, Any]) -> None:
        rm = next(column for column in document["schema"][0]["properties"] if column["name"] == "rm")
        rm["logicalTypeOptions"] = {"maximum": 8.7}

    # The source is judged by the same rules: its batches are produced before the contract of the load is too strict.
    load_id, messages = started(pipeline)
    pipeline.produce(load_id, messages)
    pipeline.edit_contract(forbid)
    admin.execute(
        "UPDATE batchstream.loads SET contract_text = %s WHERE load_id = %s", [pipeline.contract_path.read_text(), load_id]
    )
    assert pipeline.consume(load_id).rejected == sum(float(line.split()[5]) > 8.7 for line in path.read_text().splitlines()[1:])
    passed, message = pipeline.verify(load_id)
    assert not passed
    pipeline.fail(load_id, message)
    assert pipeline.checksum() == previous

    def replayed() -> str:
        assert command.replay(pipeline.installation, load_id) == 0
        return capsys.readouterr().out

    with pytest.raises(LoadError, match=r"still rejected.*column 'rm'"):
        replayed()
    assert pipeline.checksum() == previous
    pipeline.contract_path.write_text(mended)
    assert str(Published(0, 10, 0, 506)._asdict()) in replayed()
    assert pipeline.shows_source()
    assert pipeline.ledger(load_id)["state"] == "published"
    with pytest.raises(LoadError, match="only a load that landed and then failed"):
        replayed()


def test_a_replay_that_fails_midway_can_be_begun_again(pipeline: Pipeline, previous: str, admin: psycopg.Connection) -> None:
    load_id = pipeline.land()
    pipeline.fail(load_id, "to be replayed")
    mended = pipeline.contract_path.read_text()

    def divide_by_zero(document: dict[str, Any]) -> None:
        document["schema"][0]["quality"].append(
            {"type": "sql", "query": "SELECT 1 / (count(*) - 506) FROM {object}", "mustBe": 0}
        )

    pipeline.edit_contract(divide_by_zero)
    with pytest.raises(LoadError, match="can't be measured: division by zero"):
        pipeline.replay(load_id)
    assert pipeline.ledger(load_id)["state"] == "failed"
    assert "division by zero" in pipeline.ledger(load_id)["reason"]
    pipeline.contract_path.write_text(mended)
    admin.execute(f"ALTER TABLE {pipeline.name} ADD CONSTRAINT mine CHECK (load_id < {load_id})")
    with pytest.raises(LoadError, match="the constraint 'mine'"):
        pipeline.replay(load_id)
    assert pipeline.ledger(load_id)["state"] == "failed"
    assert pipeline.checksum() == previous
    admin.execute(f"ALTER TABLE {pipeline.name} DROP CONSTRAINT mine")
    assert "published" in pipeline.replay(load_id)
    assert pipeline.shows_source()


def test_an_older_load_is_never_replayed_over_a_newer_one(pipeline: Pipeline, previous: str) -> None:
    load_id, messages = started(pipeline)
    messages[5] = (messages[5][0], with_values(messages[5][1], {0: b"{}"}))
    pipeline.produce(load_id, pipeline.sign_again(load_id, messages))
    pipeline.consume(load_id)
    pipeline.fail(load_id, "one record is bad")
    pipeline.reload()
    with pytest.raises(LoadError, match="is newer than load"):
        pipeline.replay(load_id)
    assert pipeline.shows_source()


def test_a_forged_message_before_the_real_one_is_never_published(pipeline: Pipeline, previous: str, path: str) -> None:
    """Whoever can write to the topic: with the load's own key, before its own batches, and with an allowance for records."""
    pipeline.edit_contract(
        lambda document: next(
            entry for entry in document["customProperties"] if entry["property"] == "rejectedRecordsAllowed"
        ).update(value=1000)
    )
    load_id, messages = started(pipeline)
    key, value = messages[0]
    forged = (value or b"").replace(b'"crim":0.00632', b'"crim":9.99999')
    assert forged != value
    pipeline.produce(load_id, [(key, forged), *messages])
    consumed = pipeline.consume(load_id)
    assert (consumed.landed, consumed.rejected) == (506, 1)
    passed, message = pipeline.verify(load_id)
    assert not passed
    assert "1 messages of the topic were rejected whole, which no allowance covers" in message
    assert "somebody else has sent it" in message
    assert pipeline.checksum() == previous


def test_batches_of_a_try_that_was_cut_off_never_meet_those_of_another_source(pipeline: Pipeline, previous: str) -> None:
    """The old file's first batches are in the topic when the new file's come: only one content is the load's."""
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    with pipeline.connect() as connection:
        attempt = ledger.begin_attempt(connection, load_id)
    old, _ = pipeline.messages(load_id, attempt)
    pipeline.send(old[:3])
    pipeline.change_source(seed=9)
    pipeline.produce(load_id)
    consumed = pipeline.consume(load_id)
    assert (consumed.landed, consumed.other_loads, consumed.rejected) == (506, 3, 0)
    pipeline.finish(load_id)
