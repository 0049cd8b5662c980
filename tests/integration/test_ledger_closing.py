"""The end of a load in the ledger: how it is closed, and which reason is kept."""

import psycopg
import pytest

from batchstream.postgres import ledger
from batchstream.postgres.ledger import State
from tests.support.ledger import IN_PROGRESS, put_state
from tests.support.pipeline import Pipeline


@pytest.fixture
def load_id(pipeline: Pipeline) -> int:
    return pipeline.open()


@pytest.mark.parametrize("state", IN_PROGRESS)
def test_closing_a_load_on_its_way_makes_it_fail(pipeline: Pipeline, admin: psycopg.Connection, load_id: int, state: str) -> None:
    put_state(admin, load_id, state)
    with pipeline.connect() as connection:
        assert ledger.close(connection, load_id, reason=None) is State.FAILED
    row = ledger.read(admin, load_id)
    assert (row["state"], row["reason"]) == ("failed", f"the run ended while the load was {state}")
    assert row["closed_at"] is not None


@pytest.mark.parametrize(("noted", "kept"), [(None, "the run is red"), ("the first fault", "the first fault")])
def test_closing_a_load_keeps_the_first_reason(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int, noted: str | None, kept: str
) -> None:
    put_state(admin, load_id, "landed", reason=noted)
    with pipeline.connect() as connection:
        assert ledger.close(connection, load_id, reason="the run is red") is State.FAILED
    assert ledger.read(admin, load_id)["reason"] == kept


def test_a_reason_may_hold_what_postgresql_can_not_store_and_a_retry_may_help_until_somebody_says_otherwise(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    with pipeline.connect() as connection:
        ledger.note_failure(connection, load_id, "got '\0'")
    row = ledger.read(admin, load_id)
    assert (row["reason"], row["failed_for_good"]) == (r"got '\x00'", False)


@pytest.mark.parametrize(("state", "reason"), [("published", None), ("failed", "the cause")])
def test_closing_a_finished_load_changes_its_stamp_only_and_only_once(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int, state: str, reason: str | None
) -> None:
    put_state(admin, load_id, state, reason)
    before = ledger.read(admin, load_id)
    with pipeline.connect() as connection:
        assert ledger.close(connection, load_id, reason=None) == state
        closed = ledger.read(admin, load_id)
        assert {name for name in before if before[name] != closed[name]} == {"closed_at"}
        assert ledger.close(connection, load_id, reason=None) == state
    assert ledger.read(admin, load_id) == closed


def test_what_fails_after_the_publish_is_noted_but_takes_nothing_back(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    put_state(admin, load_id, "published")
    with pipeline.connect() as connection:
        assert ledger.close(connection, load_id, reason="a check after the publish is red") is State.PUBLISHED
    row = ledger.read(admin, load_id)
    assert (row["state"], row["reason"]) == ("published", "a check after the publish is red")


def test_the_first_reason_is_kept_and_forgotten_by_the_next_try(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    with pipeline.connect() as connection:
        ledger.note_failure(connection, load_id, "the cause")
        ledger.note_failure(connection, load_id, "its effect")
        row = ledger.read(admin, load_id)
        # Noting is not failing: the task may be tried again.
        assert (row["state"], row["reason"]) == ("opened", "the cause")
        with ledger.working_on(connection, load_id):
            pass
        ledger.note_failure(connection, load_id, "another cause")
    assert ledger.read(admin, load_id)["reason"] == "another cause"


def test_no_failure_is_noted_for_what_was_published(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    put_state(admin, load_id, "published")
    before = ledger.read(admin, load_id)
    with pipeline.connect() as connection:
        ledger.note_failure(connection, load_id, "too late")
    assert ledger.read(admin, load_id) == before


def test_the_reason_of_a_failed_load_is_not_forgotten(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    put_state(admin, load_id, "failed", reason="the cause")
    before = ledger.read(admin, load_id)
    with pipeline.connect() as connection:
        connection.execute("SELECT batchstream.forget_failure(%s)", [load_id])
        ledger.note_failure(connection, load_id, "its effect")
    assert ledger.read(admin, load_id) == before
