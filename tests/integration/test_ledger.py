"""The ledger on a real PostgreSQL: every transition, and the states that are held against them."""

from typing import Any

import psycopg
import pytest

from batchstream.errors import LoadError
from batchstream.load import verify
from batchstream.postgres import housekeeping, ledger, names
from batchstream.postgres.ledger import State
from tests.support.ledger import put_state
from tests.support.pipeline import Pipeline

# Written down once more, independent of the code: from → to.
ALLOWED = {
    ("opened", "opened"),
    ("opened", "produced"),
    ("opened", "failed"),
    ("produced", "produced"),
    ("produced", "landed"),
    ("produced", "failed"),
    ("landed", "landed"),
    ("landed", "verified"),
    ("landed", "failed"),
    ("verified", "verified"),
    ("verified", "published"),
    ("verified", "failed"),
}
STATES = ("opened", "produced", "landed", "verified", "published", "failed")
PAIRS = [(before, to) for before in STATES for to in STATES]
STAMPS = {"produced": "produced_at", "landed": "landed_at", "verified": "verified_at", "published": "published_at"}


@pytest.fixture
def load_id(pipeline: Pipeline) -> int:
    return pipeline.open()


# What a stage may note, and what nobody else may.
FACTS: dict[str, dict[str, Any]] = {
    "opened": {"topic_id": "an id"},
    "produced": {"source_records": 506},
    "landed": {"landed_records": 506},
    "verified": {},
    "published": {"published_rows": 506},
    "failed": {},
}


def _row(admin: psycopg.Connection, load_id: int) -> dict[str, Any]:
    return ledger.read(admin, load_id)


@pytest.mark.parametrize(("before", "to"), PAIRS, ids=[f"{before}-{to}" for before, to in PAIRS])
def test_a_load_takes_the_allowed_steps_only(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int, before: str, to: str
) -> None:
    put_state(admin, load_id, before)
    _note_verdicts(pipeline, admin, load_id)
    row = _row(admin, load_id)
    with pipeline.connect(names.OWNER) as connection:
        if (before, to) in ALLOWED:
            ledger.transition(connection, load_id, State(to), **FACTS[to])
        else:
            with pytest.raises(
                LoadError, match=rf"^load {load_id} of {pipeline.name}, run run-1, is {before} and can't become {to}"
            ):
                ledger.transition(connection, load_id, State(to), **FACTS[to])
    after = _row(admin, load_id)
    if (before, to) not in ALLOWED:
        assert after == row
        return
    changed = {name for name in row if row[name] != after[name]}
    facts = {name for name, value in FACTS[to].items() if row[name] != value}
    assert changed == {"seen_at", *facts, *([STAMPS[to]] if to in STAMPS else []), *({"state"} if before != to else ())}
    assert after.items() >= {"state": to, **FACTS[to]}.items()


def test_the_way_of_a_good_load(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    with pipeline.connect(names.OWNER) as connection:
        ledger.transition(connection, load_id, State.PRODUCED)
        ledger.transition(connection, load_id, State.LANDED, landed_records=506)
        _note_verdicts(pipeline, admin, load_id)
        ledger.transition(connection, load_id, State.VERIFIED)
        ledger.transition(connection, load_id, State.PUBLISHED)
        assert ledger.close(connection, load_id, reason=None) is State.PUBLISHED
    row = pipeline.ledger(load_id)
    stamps = [row[name] for name in ("opened_at", "produced_at", "landed_at", "verified_at", "published_at", "closed_at")]
    assert None not in stamps
    assert stamps == sorted(stamps)
    assert row["reason"] is None


def test_a_transition_is_part_of_its_callers_transaction(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    before = _row(admin, load_id)
    with pipeline.connect() as connection, connection.transaction(force_rollback=True):
        ledger.transition(connection, load_id, State.PRODUCED, produced_records=506)
        assert ledger.read(connection, load_id)["state"] == "produced"
        assert _row(admin, load_id) == before
    assert _row(admin, load_id) == before


def test_of_two_tries_of_produce_batches_the_later_one_counts(pipeline: Pipeline, load_id: int) -> None:
    """A try that Airflow took for dead may end after the next one has begun."""
    with pipeline.connect() as connection:
        first, second = ledger.begin_attempt(connection, load_id), ledger.begin_attempt(connection, load_id)
        with pytest.raises(LoadError, match="a newer try of produce_batches has begun: its batches count"):
            ledger.transition(connection, load_id, State.PRODUCED, attempt=first)
        assert pipeline.ledger(load_id)["state"] == "opened"
        ledger.transition(connection, load_id, State.PRODUCED, attempt=second)
    assert pipeline.ledger(load_id)["attempt"] == second


def test_a_load_that_was_never_opened_is_refused(pipeline: Pipeline, load_id: int) -> None:
    missing = load_id + 1_000_000
    said = f"load {missing} is not in the ledger: start a new run"
    with pipeline.connect() as connection:
        for attempt in (
            lambda: ledger.transition(connection, missing, State.PRODUCED),
            lambda: ledger.require_state(connection, missing, State.PRODUCED),
            lambda: ledger.read(connection, missing),
            lambda: ledger.close(connection, missing, reason=None),
        ):
            with pytest.raises(LoadError) as refused:
                attempt()
            assert str(refused.value) == said


def test_a_refusal_says_why_the_load_failed(pipeline: Pipeline, load_id: int) -> None:
    pipeline.fail(load_id, "the cause")
    with pipeline.connect(names.OWNER) as connection, pytest.raises(LoadError) as refused:
        ledger.transition(connection, load_id, State.PUBLISHED)
    assert str(refused.value) == (
        f"load {load_id} of {pipeline.name}, run run-1, is failed (the cause) and can't become published: start a new run"
    )


def _note_verdicts(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    """As if both checks were green for what has landed."""
    admin.execute("UPDATE batchstream.loads SET landed_records = 506 WHERE load_id = %s", [load_id])
    for check in verify.BEFORE_PUBLISH:
        verify.note_verdict(pipeline.engines.owner, load_id, check, passed=True, message="green")


def test_a_state_is_held_against_every_other_transition(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    put_state(admin, load_id, "produced")
    with pipeline.connect() as writer, pipeline.connect() as other, pipeline.connect() as twin:
        with writer.transaction(), twin.transaction():
            ledger.require_state(writer, load_id, State.PRODUCED, State.LANDED)
            # A twin of the task may hold it too.
            ledger.require_state(twin, load_id, State.PRODUCED, State.LANDED)
            other.execute("SET lock_timeout = '200ms'")
            for to in (State.LANDED, State.FAILED):
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    ledger.transition(other, load_id, to)
        ledger.transition(other, load_id, State.LANDED)


@pytest.mark.parametrize("state", STATES)
def test_only_the_required_states_pass(pipeline: Pipeline, admin: psycopg.Connection, load_id: int, state: str) -> None:
    put_state(admin, load_id, state)
    with pipeline.connect() as connection:
        if state in ("produced", "landed"):
            ledger.require_state(connection, load_id, State.PRODUCED, State.LANDED)
        else:
            with pytest.raises(LoadError, match=rf"is {state} and can't become landed: start a new run"):
                ledger.require_state(connection, load_id, State.PRODUCED, State.LANDED)


def test_landings_of_old_loads_are_dropped(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    loads = []
    for _ in range(housekeeping.KEPT_LOADS + 2):
        loads.append(pipeline.open())
        pipeline.fail(loads[-1], "on purpose")
    names = admin.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'landing'::regnamespace AND relname ^@ %s", [f"{pipeline.name}_"]
    ).fetchall()
    assert {name for (name,) in names} == {f"{pipeline.name}_{load_id}" for load_id in loads[-housekeeping.KEPT_LOADS :]}
