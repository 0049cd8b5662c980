"""Landing on a real PostgreSQL: batches once whoever delivers them how often, bad records apart, all or nothing."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import errors, sql

from batchstream.errors import LoadError, SinkError
from batchstream.postgres import ledger, message_rejects
from batchstream.postgres.landing import Landed, Lander
from batchstream.postgres.ledger import State
from batchstream.records.messages import Message, Signer
from tests.support.landing import BATCHES, RECORDS, Landing
from tests.support.pipeline import Pipeline


@pytest.fixture
def landing(pipeline: Pipeline, admin: psycopg.Connection) -> Landing:
    return Landing(pipeline, admin, pipeline.contract)


def test_a_load_lands_every_record_of_its_source_once(landing: Landing) -> None:
    assert landing.land(landing.messages) == Landed(messages=BATCHES, records=RECORDS, landed=RECORDS)
    assert landing.is_complete()
    assert landing.quarantine() == []
    # Equal to the source as split() and Python read it.
    lines = landing.contract.source.path.read_text().splitlines()[1:]
    names = [column.name for column in landing.contract.columns]
    expected = [(number, *map(float, line.split())) for number, line in enumerate(lines, 1)]
    columns = sql.SQL(", ").join(map(sql.Identifier, ["record_id", *names]))
    found = landing.admin.execute(sql.SQL("SELECT {} FROM {} ORDER BY 1").format(columns, landing.table)).fetchall()
    assert found == expected


def test_the_same_messages_again_land_nothing(landing: Landing) -> None:
    landing.land(landing.messages)
    inbox = landing.inbox()
    # As they came, and sent once more by a producer that did not hear of its success.
    assert landing.land(landing.messages) == Landed(messages=BATCHES, duplicates=BATCHES)
    again = [message._replace(offset=message.offset + 100) for message in landing.messages]
    assert landing.land(again) == Landed(messages=BATCHES, duplicates=BATCHES)
    assert landing.is_complete()
    assert landing.inbox() == inbox
    assert landing.quarantine() == []


def test_a_batch_that_comes_twice_in_one_delivery_lands_once(landing: Landing) -> None:
    again = [message._replace(offset=message.offset + 100) for message in landing.messages]
    assert landing.land([*again, *landing.messages]) == Landed(
        messages=2 * BATCHES, records=RECORDS, landed=RECORDS, duplicates=BATCHES
    )
    assert landing.is_complete()
    assert landing.quarantine() == []


def test_batches_land_in_any_order_and_in_any_parts(landing: Landing) -> None:
    parts = [landing.messages[4:], landing.messages[1:5], landing.messages[:2]]
    total = Landed()
    for part in parts:
        total = total.plus(landing.land(reversed(part)))
    assert total == Landed(messages=8, records=RECORDS, landed=RECORDS, duplicates=2)
    assert landing.is_complete()


def _in_threads(*actions: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def guarded(action: Callable[[], None]) -> None:
        try:
            action()
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=guarded, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("parts", [1, BATCHES], ids=["all at once", "one by one"])
def test_two_writers_at_the_same_time_land_each_batch_once(landing: Landing, parts: int) -> None:
    size = BATCHES // parts
    barrier = threading.Barrier(2, timeout=30)
    totals: list[Landed] = []

    def write(messages: list[Message]) -> None:
        total = Landed()
        with landing.pipeline.connect() as connection:
            lander = Lander(landing.contract, landing.signer)
            for first in range(0, BATCHES, size):
                barrier.wait()
                total = total.plus(lander.land(connection, messages[first : first + size]))
        totals.append(total)

    # In one delivery even the opposite order must not dead-lock.
    others = landing.messages[::-1] if parts == 1 else landing.messages
    _in_threads(lambda: write(landing.messages), lambda: write(others))
    assert totals[0].plus(totals[1]) == Landed(messages=2 * BATCHES, records=RECORDS, landed=RECORDS, duplicates=BATCHES)
    assert landing.is_complete()
    assert landing.quarantine() == []


def test_a_second_writer_waits_for_the_first_and_takes_over_what_that_rolls_back(landing: Landing) -> None:
    second: list[Landed] = []
    with landing.pipeline.connect() as first:
        with first.transaction(force_rollback=True):
            assert Lander(landing.contract, landing.signer).land(first, landing.messages).landed == RECORDS
            thread = threading.Thread(target=lambda: second.append(landing.land(landing.messages)))
            thread.start()
            thread.join(0.5)
            assert thread.is_alive()
        thread.join(20)
    assert second == [Landed(messages=BATCHES, records=RECORDS, landed=RECORDS)]
    assert landing.is_complete()


@pytest.mark.parametrize("together", [True, False], ids=["in one delivery", "later"])
def test_a_message_that_the_load_did_not_sign_is_an_impostor(landing: Landing, together: bool) -> None:
    """tests/unit/test_messages.py has every kind of forged message."""
    value = landing.values[0]
    impostor = landing.message(2, value, key=landing.key(2, landing.values[1]), offset=77)
    if together:
        found = landing.land([impostor, *landing.messages])
    else:
        found = landing.land(landing.messages).plus(landing.land([impostor]))
    assert found == Landed(messages=BATCHES + 1, records=RECORDS, landed=RECORDS, rejected=1)
    assert landing.is_complete()
    reason = "the message's key names this load, and its signature is none of this load's: somebody else has sent it"
    raw = f"{value[:4096].decode()}… ({len(value):,} bytes)"
    assert landing.quarantine() == [(landing.contract.topic.name, 0, 77, None, None, raw, reason)]
    # Delivered once more, it is noted and counted once.
    landing.land([impostor])
    assert len(landing.quarantine()) == landing.rejected_messages() == 1


def test_a_flood_of_foreign_messages_is_counted_whole_and_kept_in_part(landing: Landing) -> None:
    def flood(partition: int, messages: int) -> list[Message]:
        return [Message(landing.contract.topic.name, partition, number, None, b"x" * 50_000) for number in range(messages)]

    first, second = flood(0, 250), flood(1, 30)
    totals = [landing.land(part) for part in ([*second, *first[:90]], first[90:180], landing.messages, first[180:], first[:90])]
    assert sum(total.rejected for total in totals) == 250 + 30 + 90
    # The last delivery brought none that is new.
    assert landing.rejected_messages() == 250 + 30
    kept = landing.quarantine()
    assert [(row[1], row[2]) for row in kept] == [(0, number) for number in range(100)] + [(1, number) for number in range(30)]
    assert {len(row[5]) for row in kept} == {4096 + len("… (50,000 bytes)")}
    assert landing.is_complete()


def test_a_flood_of_more_foreign_messages_ends_the_load(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_rejects, "MAX_REJECTED_MESSAGES", 20)
    # At every second offset, as others of the load stand between them.
    flood = [Message(landing.contract.topic.name, 1, 2 * number, None, b"x") for number in range(21)]
    landing.land(flood[:20])
    # Those that come again are the same ones.
    landing.land([*landing.messages, *flood[:20]])
    with pytest.raises(LoadError, match=r"partition 1: more than 20 messages were rejected whole, .*find out who else writes"):
        landing.land(flood[20:])
    assert landing.rejected_messages() == 20
    assert landing.is_complete()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "the message has no key, so it belongs to no load"),
        (b"", "the message's key is not a load's: "),
        (b"somebody's", "the message's key is not a load's: somebody's"),
        (b"\xff\x00", r"the message's key is not a load's: \xff\x00"),
        (b'{"load_id": 1}', "the message's key is not a load's: {\"load_id\": 1}"),
        (
            b'{"load_id":1,"attempt":1,"batch":2,"first_record_id":1,"mac":""}',
            'the message\'s key contradicts itself: {"load_id":1,"attempt":1,"batch":2,"first_record_id":1,"mac":""}',
        ),
    ],
)
def test_a_message_without_a_key_of_ours_is_quarantined(landing: Landing, key: bytes | None, said: str) -> None:
    foreign = Message(landing.contract.topic.name, 0, 9, key, b"[1]\x00\xff")
    assert landing.land([*landing.messages, foreign]) == Landed(messages=BATCHES + 1, records=RECORDS, landed=RECORDS, rejected=1)
    assert landing.is_complete()
    assert landing.quarantine() == [(landing.contract.topic.name, 0, 9, None, None, r"[1]\x00\xff", said)]


def test_messages_of_other_loads_are_counted_and_nothing_else(landing: Landing) -> None:
    others = [
        landing.message(number, value, key=signer.key(number, number, value), offset=50 + number)
        # Of another load, and of another try of this one.
        for signer in (Signer(landing.load_id + 1, 0, bytes(32)), replace(landing.signer, attempt=7))
        for number, value in enumerate(landing.values, 1)
    ]
    assert landing.land([*others, *landing.messages]) == Landed(
        messages=3 * BATCHES, records=RECORDS, landed=RECORDS, other_loads=2 * BATCHES
    )
    assert landing.is_complete()
    assert landing.quarantine() == []


def test_one_bad_record_of_a_hundred_leaves_the_others_alone(landing: Landing) -> None:
    records = json.loads(landing.values[2])
    records[37]["chas"] = 7
    bad = landing.message(3, json.dumps(records).encode(), offset=12)
    assert landing.land([bad]) == Landed(messages=1, records=100, landed=99, rejected=1)
    assert landing.ids() == [number for number in range(201, 301) if number != 238]
    assert landing.inbox() == [(3, 0, 12, 100, 99)]
    ((topic, partition, offset, position, record_id, raw, reason),) = landing.quarantine()
    assert (topic, partition, offset, position, record_id) == (landing.contract.topic.name, 0, 12, 37, 238)
    assert raw == json.dumps(records[37])
    assert reason.startswith("column 'chas': 7 is not integer NOT NULL (")
    # Delivered again, it is a duplicate: neither landed nor noted once more.
    assert landing.land([bad._replace(offset=13)]) == Landed(messages=1, duplicates=1)
    assert len(landing.quarantine()) == 1


@pytest.mark.parametrize(
    ("value", "raw", "reason"),
    [
        (None, "", "the message has no value (null)"),
        (b"", "", "the message is not a JSON array but empty"),
        (b"[]", "[]", "the array is empty"),
        (b'{"crim": 1}', '{"crim": 1}', "the message is not a JSON array but begins with '{\"crim\": 1}'"),
        (b'[{"crim": 1}', '[{"crim": 1}', "the message is not JSON: its end is missing"),
        (b"\x00\xff", r"\x00\xff", r"the message is not a JSON array but begins with '\\x00\\xff'"),
    ],
)
def test_a_value_that_is_no_batch_is_quarantined_whole(landing: Landing, value: bytes | None, raw: str, reason: str) -> None:
    damaged = landing.message(3, value)
    others = [message for message in landing.messages if message.offset != 3]
    assert landing.land([damaged, *others]) == Landed(messages=BATCHES, records=406, landed=406, rejected=1)
    assert landing.ids() == [*range(1, 201), *range(301, RECORDS + 1)]
    assert landing.inbox()[2] == (3, 0, 3, 0, 0)
    assert landing.quarantine() == [(landing.contract.topic.name, 0, 3, None, None, raw, reason)]


@pytest.mark.parametrize("state", [State.OPENED, State.VERIFIED, State.PUBLISHED, State.FAILED])
def test_a_load_that_may_not_land_any_more_writes_nothing(landing: Landing, state: State) -> None:
    landing.state(state)
    damaged = landing.message(1, b"no batch")
    with landing.pipeline.connect() as connection:
        with pytest.raises(
            LoadError, match=rf"^load {landing.load_id} of .* is {state} and can't become landed: start a new run"
        ):
            Lander(landing.contract, landing.signer).land(connection, [damaged, *landing.messages])
        # The connection is as good as before.
        assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert landing.is_untouched()


def test_a_late_delivery_to_a_load_that_landed_is_allowed_until_it_is_verified(landing: Landing) -> None:
    landing.land(landing.messages[:3])
    landing.state(State.LANDED)
    assert landing.land(landing.messages).landed == RECORDS - 300
    landing.state(State.VERIFIED)
    with pytest.raises(LoadError):
        landing.land(landing.messages)
    assert landing.is_complete()


def test_a_load_is_not_given_up_or_verified_while_it_lands(landing: Landing) -> None:
    with landing.pipeline.connect() as connection, landing.pipeline.connect() as other:
        other.execute("SET lock_timeout = '200ms'")
        other.commit()
        with connection.transaction():
            Lander(landing.contract, landing.signer).land(connection, landing.messages)
            with pytest.raises(errors.LockNotAvailable):
                ledger.close(other, landing.load_id, reason="given up")
        assert ledger.close(other, landing.load_id, reason="given up") is State.FAILED
    assert landing.is_complete()


def test_what_is_rolled_back_leaves_neither_inbox_nor_rows(landing: Landing) -> None:
    damaged = landing.message(7, b"no batch")
    with landing.pipeline.connect() as connection:
        with connection.transaction(force_rollback=True):
            found = Lander(landing.contract, landing.signer).land(connection, [*landing.messages, damaged])
            assert found == Landed(messages=BATCHES + 1, records=RECORDS, landed=RECORDS, rejected=1)
            inside = connection.execute("SELECT count(*) FROM batchstream.batches WHERE load_id = %s", [landing.load_id])
            assert inside.fetchone() == (BATCHES + 1,)
            assert landing.is_untouched()
        assert landing.is_untouched()
        # And the next try lands all of it.
        assert Lander(landing.contract, landing.signer).land(connection, landing.messages).landed == RECORDS
    assert landing.is_complete()


def test_a_copy_that_fails_takes_its_claims_back(landing: Landing) -> None:
    # The last but one record of the last batch: everything before it is on its way already.
    landing.admin.execute(sql.SQL("ALTER TABLE {} ADD CONSTRAINT broken CHECK (record_id <> 505)").format(landing.table))
    with pytest.raises(LoadError, match="PostgreSQL refused the landing"):
        landing.land(landing.messages)
    assert landing.is_untouched()
    landing.admin.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT broken").format(landing.table))
    assert landing.land(landing.messages).landed == RECORDS
    assert landing.is_complete()


def test_a_session_that_is_killed_while_it_lands_writes_nothing(landing: Landing) -> None:
    connection = landing.pipeline.connect()

    def killed_after_three() -> Iterator[Message]:
        yield from landing.messages[:3]
        landing.admin.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        yield from landing.messages[3:]

    with pytest.raises(SinkError, match=rf"^load {landing.load_id}: PostgreSQL gave up the landing: "):
        Lander(landing.contract, landing.signer).land(connection, killed_after_three())
    connection.close()
    assert landing.is_untouched()
    assert landing.land(landing.messages).landed == RECORDS
    assert landing.is_complete()
