"""Messages of somebody who may write to the topic and has seen all of it: none is taken for the load's, none is ever allowed."""

from typing import Any

import msgspec
import pytest

from batchstream.records.messages import MessageKey, Signer, decode_key
from tests.support.pipeline import Pipeline

Message = tuple[bytes | None, bytes | None]


def changed(message: Message) -> bytes:
    """The batch with another value in its first record, which breaks no rule."""
    assert message[1] is not None
    records: list[dict[str, Any]] = msgspec.json.decode(message[1])
    records[0]["medv"] = 49.5 if records[0]["medv"] != 49.5 else 48.5
    return msgspec.json.encode(records)


def forged(load_id: int, message: Message) -> list[Message]:
    """The same batch with another content, under its own key and under others that name the load."""
    value, key = changed(message), decode_key(message[0])
    assert isinstance(key, MessageKey)
    unsigned = msgspec.structs.replace(key, mac="")
    return [
        (message[0], value),
        (msgspec.json.encode(unsigned), value),
        (msgspec.json.encode({"load_id": load_id, "batch": 1, "first_record_id": 1}), value),
        (Signer(load_id, key.attempt, bytes(32)).key(1, 1, value), value),
    ]


@pytest.mark.parametrize("first", [True, False], ids=["before the load's own", "after them"])
def test_a_forged_batch_lands_nothing_and_no_allowance_covers_it(
    pipeline: Pipeline, previous: str, path: str, first: bool
) -> None:
    pipeline.allow_rejected(1000)
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    messages: list[Message] = list(pipeline.messages(load_id)[0])
    others = forged(load_id, messages[0])
    pipeline.produce(load_id, [*others, *messages] if first else [*messages, *others])
    consumed = pipeline.consume(load_id)
    assert (consumed.landed, consumed.rejected, consumed.duplicates) == (506, len(others), 0)
    passed, message = pipeline.verify(load_id)
    assert not passed
    assert f"{len(others)} messages of the topic were rejected whole, which no allowance covers" in message
    assert "the message's key names this load, and its signature is none of this load's" in message
    assert pipeline.ledger(load_id)["quarantined_records"] == len(others)
    assert pipeline.checksum() == previous
    pipeline.fail(load_id, message)
    pipeline.reload()
    assert pipeline.shows_source()


def test_a_forged_batch_in_the_place_of_the_loads_own_is_missed(pipeline: Pipeline, previous: str, path: str) -> None:
    """As if its sender had kept the producer's from the topic."""
    load_id = pipeline.open()
    pipeline.create_topic(load_id)
    messages: list[Message] = list(pipeline.messages(load_id)[0])
    messages[0] = (messages[0][0], changed(messages[0]))
    pipeline.produce(load_id, messages)
    assert pipeline.consume(load_id).landed == 406
    assert not pipeline.verify(load_id)[0]
    assert pipeline.checksum() == previous
