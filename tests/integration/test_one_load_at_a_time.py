"""One load of a dataset at a time: a second run waits, and gives up a load whose run was killed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from batchstream.errors import BusyError, LoadError
from batchstream.load.open import open_load
from batchstream.postgres import ledger, locks, opening
from batchstream.postgres.ledger import State
from batchstream.postgres.opening import Run
from tests.support.ledger import IN_PROGRESS, put_state
from tests.support.pipeline import Pipeline


@pytest.fixture
def load_id(pipeline: Pipeline) -> int:
    return pipeline.open()


def _age(admin: psycopg.Connection, load_id: int, seconds: float) -> None:
    """As if the last sign of life were that long ago."""
    admin.execute(
        "UPDATE batchstream.loads SET seen_at = clock_timestamp() - make_interval(secs => %s) WHERE load_id = %s",
        [seconds, load_id],
    )


def _row(admin: psycopg.Connection, load_id: int) -> dict[str, Any]:
    return ledger.read(admin, load_id)


def _wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.02)


class Opening:
    """`open_load` of another run, in a thread."""

    def __init__(self, pipeline: Pipeline, run_id: str, wait_seconds: float) -> None:
        self.opened: int | None = None
        self.error: Exception | None = None
        self._pipeline = pipeline
        self._run_id = run_id
        self._wait_seconds = wait_seconds
        self.thread = threading.Thread(target=self._open)

    def _open(self) -> None:
        try:
            self.opened = open_load(
                self._pipeline.engines.owner, self._pipeline.contract, Run(self._run_id), wait_seconds=self._wait_seconds
            )
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error


@contextmanager
def _opening(pipeline: Pipeline, run_id: str, *, wait_seconds: float) -> Iterator[Opening]:
    found = Opening(pipeline, run_id, wait_seconds)
    found.thread.start()
    try:
        yield found
    finally:
        found.thread.join()


def _locks(admin: psycopg.Connection, load_id: int) -> int:
    """How many workers hold the load's advisory lock."""
    row = admin.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid::bigint = %s "
        "AND objid::bigint = hashint8(%s)::bigint & 4294967295",
        [int(locks.Kind.WORKING), load_id],
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("state", IN_PROGRESS)
def test_a_load_whose_run_was_killed_is_given_up_by_the_next_run(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int, state: str
) -> None:
    put_state(admin, load_id, state)
    _age(admin, load_id, 95)
    next_id = pipeline.open("next run")
    row = _row(admin, load_id)
    assert row["state"] == "failed"
    assert row["reason"].startswith(f"run run-1 was killed or lost: {state}, then no sign of life for 9")
    assert row["closed_at"] is not None
    assert (_row(admin, next_id)["state"], _row(admin, next_id)["run_id"]) == ("opened", "next run")
    # What is left of the killed run is refused.
    with pipeline.connect() as connection, pytest.raises(LoadError, match=r"is failed \(run run-1 was killed or lost"):
        ledger.require_state(connection, load_id, State(state))


def test_a_killed_load_keeps_the_reason_that_it_noted_itself(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    put_state(admin, load_id, "produced", reason="the disk was full")
    _age(admin, load_id, 95)
    pipeline.open("next run")
    row = _row(admin, load_id)
    assert (row["state"], row["reason"]) == ("failed", "the disk was full")


@pytest.mark.parametrize("state", ["published", "failed"])
def test_a_finished_load_is_neither_waited_for_nor_changed(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int, state: str
) -> None:
    put_state(admin, load_id, state)
    before = _row(admin, load_id)
    assert pipeline.open("next run") > load_id
    assert _row(admin, load_id) == before


def test_a_load_of_another_dataset_is_not_waited_for(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    other = f"{pipeline.name}_other"
    text = pipeline.contract_path.read_text()
    pipeline.contract_path.write_text(text.replace(f"- name: {pipeline.name}\n", f"- name: {other}\n"))
    assert pipeline.name == other
    assert pipeline.open("other run") > load_id
    assert _row(admin, load_id)["state"] == "opened"


def test_the_same_run_may_open_again_and_its_first_load_is_given_up(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    second = pipeline.open("run-1")
    row = _row(admin, load_id)
    assert (row["state"], row["reason"]) == ("failed", "the same run opened another load")
    assert _row(admin, second)["state"] == "opened"


def test_a_second_run_stops_with_a_message_while_the_first_lives(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    before = _row(admin, load_id)
    begun = time.monotonic()
    with pytest.raises(
        BusyError,
        match=rf"^load {load_id} of {pipeline.name}, run run-1, is in progress \(opened\); "
        r"waited \d s: run again when it has ended$",
    ):
        pipeline.open("second run")
    assert time.monotonic() - begun < 10
    assert _row(admin, load_id) == before
    count = admin.execute("SELECT count(*) FROM batchstream.loads WHERE dataset = %s", [pipeline.name]).fetchone()
    assert count == (1,)


def test_a_second_run_waits_until_the_first_has_ended(pipeline: Pipeline, load_id: int) -> None:
    with _opening(pipeline, "second run", wait_seconds=60) as second:
        time.sleep(1.5)
        assert second.thread.is_alive()
        pipeline.fail(load_id, "the first run has ended")
        second.thread.join(20)
        assert not second.thread.is_alive()
    assert second.error is None
    assert second.opened is not None
    assert second.opened > load_id
    assert pipeline.ledger(load_id)["reason"] == "the first run has ended"


def test_two_runs_that_start_at_the_same_time_get_one_load_between_them(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.fail(pipeline.open(), "only to make the tables")
    with _opening(pipeline, "one", wait_seconds=0) as one, _opening(pipeline, "two", wait_seconds=0) as two:
        one.thread.join()
        two.thread.join()
    assert sorted([one.opened is None, two.opened is None]) == [False, True]
    loser = two if two.opened is None else one
    assert isinstance(loser.error, BusyError)
    states = admin.execute("SELECT state FROM batchstream.loads WHERE dataset = %s ORDER BY load_id", [pipeline.name]).fetchall()
    assert states == [("failed",), ("opened",)]


def test_a_load_with_a_living_worker_is_not_given_up_until_that_is_killed(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    worker = pipeline.connect()

    def work() -> None:
        with ledger.working_on(worker, load_id):
            # Its last sign of life is long ago, but it works: a long task.
            _age(admin, load_id, 3600)
            with pytest.raises(BusyError, match=r"is in progress \(opened\)"):
                pipeline.open("next run")
            assert _row(admin, load_id)["state"] == "opened"
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [worker.info.backend_pid])
            assert pipeline.open("next run") > load_id
            assert _row(admin, load_id)["state"] == "failed"
            worker.execute("SELECT 1")

    with pytest.raises(psycopg.OperationalError):
        work()
    worker.close()


def test_a_pause_between_two_tasks_is_no_death(pipeline: Pipeline, admin: psycopg.Connection, load_id: int) -> None:
    _age(admin, load_id, opening.LEASE_SECONDS - 10)
    with pytest.raises(BusyError, match="is in progress"):
        pipeline.open("next run")
    _age(admin, load_id, opening.LEASE_SECONDS + 1)
    assert pipeline.open("next run") > load_id


def test_work_renews_the_sign_of_life_and_forgets_the_failure_of_the_try_before(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    put_state(admin, load_id, "produced", reason="the first try failed")
    _age(admin, load_id, 3600)
    with pipeline.connect() as worker:
        with ledger.working_on(worker, load_id):
            working = _row(admin, load_id)
            assert working["reason"] is None
            # A twin of the task may work beside it.
            with pipeline.connect() as twin, ledger.working_on(twin, load_id):
                assert _locks(admin, load_id) == 2
        assert _locks(admin, load_id) == 0
    ages = admin.execute(
        "SELECT extract(epoch FROM clock_timestamp() - seen_at) < 20, seen_at > %s FROM batchstream.loads WHERE load_id = %s",
        [working["seen_at"], load_id],
    ).fetchone()
    assert ages == (True, True)


def _waiting_for(admin: psycopg.Connection, backend: int) -> int:
    """How many sessions wait for locks of a session."""
    row = admin.execute("SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", [backend]).fetchone()
    assert row is not None
    return int(row[0])


def test_a_writer_that_holds_the_state_ends_before_its_load_is_given_up(
    pipeline: Pipeline, admin: psycopg.Connection, load_id: int
) -> None:
    put_state(admin, load_id, "produced")
    _age(admin, load_id, 3600)
    with pipeline.connect() as writer:
        writer.execute("BEGIN")
        ledger.require_state(writer, load_id, State.PRODUCED, State.LANDED)
        with _opening(pipeline, "next run", wait_seconds=0) as following:
            _wait_until(lambda: _waiting_for(admin, writer.info.backend_pid) == 1)
            assert _row(admin, load_id)["state"] == "produced"
            writer.execute("COMMIT")
            following.thread.join()
        assert following.error is None
        assert following.opened is not None
        assert _row(admin, load_id)["state"] == "failed"
        with pytest.raises(LoadError, match="was killed or lost"):
            ledger.require_state(writer, load_id, State.PRODUCED, State.LANDED)
