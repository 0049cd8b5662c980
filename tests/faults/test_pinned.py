"""What changes around a load while it is on its way: its contract, its source, its landing, the verdicts on it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from batchstream.errors import BusyError, LoadError
from batchstream.load import close, open, topic, verify
from batchstream.postgres import names, relations
from batchstream.postgres.opening import Run
from tests.support.pipeline import Pipeline


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("physicalType: double precision", "physicalType: bigint"),
        ("physicalType: integer", "physicalType: date"),
        ("name: crim", "name: crime"),
    ],
)
def test_a_load_goes_by_the_contract_with_which_it_was_opened(
    pipeline: Pipeline, path: str, caplog: pytest.LogCaptureFixture, before: str, after: str
) -> None:
    load_id = pipeline.produced()
    text = pipeline.contract_path.read_text()
    logical = {"bigint": ("logicalType: number", "logicalType: integer"), "date": ("logicalType: integer", "logicalType: date")}
    changed = text.replace(before, after)
    for name, pair in logical.items():
        if name in after:
            changed = changed.replace(*pair)
    pipeline.contract_path.write_text(changed)
    assert changed != text
    pipeline.consume(load_id)
    assert pipeline.verify(load_id)[0]
    pipeline.publish(load_id)
    assert f"{pipeline.contract_path} has changed since load {load_id} was opened" in caplog.text
    pipeline.contract_path.write_text(text)
    assert pipeline.shows_source()


def _make_a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _make_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("replace", "told"),
    [
        (Path.unlink, "not here any more"),
        (lambda path: path.parent.rename(path.parent.with_name("elsewhere")), "not here any more"),
        (_make_a_folder, "no regular file"),
        (_make_a_pipe, "no regular file"),
        (_make_a_loop, "can't be read"),
        (lambda path: path.write_bytes(b"\xff\0{{"), "can't be read"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")), "another text"),
    ],
    ids=["nothing", "a moved folder", "a folder", "a pipe", "a link to itself", "no UTF-8", "other line ends"],
)
def test_whatever_takes_the_place_of_its_contract_stops_no_load(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture, replace: Callable[[Path], object], told: str
) -> None:
    load_id = pipeline.open()
    replace(pipeline.contract_path)
    # Neither waits for a pipe's writer nor says a word of Python's.
    topic.create_topic(pipeline.engines, load_id)
    assert re.search(rf"has changed since load {load_id} was opened \(.*{told}", caplog.text)


def test_a_contract_with_line_ends_of_windows_has_not_changed(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    path = pipeline.contract_path
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    pipeline.create_topic(pipeline.open())
    assert "has changed" not in caplog.text


@pytest.mark.parametrize("type_name", ["bigint", "timestamp", "real"])
def test_nothing_is_copied_into_a_landing_of_other_types(
    pipeline: Pipeline, admin: psycopg.Connection, path: str, type_name: str
) -> None:
    load_id = pipeline.produced()
    landing = relations.landing(pipeline.contract, load_id)
    admin.execute(sql.SQL("ALTER TABLE {} DROP medv, ADD medv {} NOT NULL").format(landing, sql.SQL(type_name)))
    with pytest.raises(LoadError, match=r"for column 'medv', its contract says double precision NOT NULL"):
        pipeline.consume(load_id)


def test_a_second_try_with_another_source_is_refused(pipeline: Pipeline, previous: str) -> None:
    load_id = pipeline.produced()
    pipeline.change_source(seed=7)
    with pytest.raises(LoadError, match=r"the source has another content than the try before read.*start a new run"):
        pipeline.produce(load_id)
    assert pipeline.checksum() == previous


def test_without_both_verdicts_nothing_is_published(pipeline: Pipeline, admin: psycopg.Connection, previous: str) -> None:
    """Whoever marked a check as green by hand: what publishes looks at the ledger."""
    load_id = pipeline.land()
    for check in verify.BEFORE_PUBLISH:
        with pytest.raises(LoadError, match="not every check of it is green for the rows that have landed"):
            pipeline.publish(load_id)
        verify.note_verdict(pipeline.engines.owner, load_id, check, passed=True, message="green")
    verify.note_verdict(pipeline.engines.owner, load_id, verify.CheckName.COLUMNS, passed=False, message="medv is too dear")
    with pytest.raises(LoadError, match="not every check of it is green"):
        pipeline.publish(load_id)
    assert pipeline.checksum() == previous
    # Green, but for other rows than have landed.
    assert pipeline.verify(load_id)[0]
    admin.execute("UPDATE batchstream.loads SET landed_records = landed_records - 1 WHERE load_id = %s", [load_id])
    with pytest.raises(LoadError, match="not every check of it is green"):
        pipeline.publish(load_id)


def test_a_run_may_override_the_checks_and_the_ledger_says_why(pipeline: Pipeline, previous: str) -> None:
    run = Run("overridden", parameters={"override_checks": "the mean is right, the rule is not"})
    load_id = open.open_load(pipeline.engines.owner, pipeline.contract, run)
    pipeline.create_topic(load_id)
    pipeline.produce(load_id)
    pipeline.consume(load_id)
    pipeline.publish(load_id)
    assert pipeline.shows_source()
    assert pipeline.ledger(load_id)["run_parameters"] == {"override_checks": "the mean is right, the rule is not"}


def test_a_closed_load_that_was_not_published_is_an_error(pipeline: Pipeline) -> None:
    load_id = pipeline.land()
    with pytest.raises(LoadError, match=rf"^load {load_id} of {pipeline.name} was not published: the run ended while"):
        close.close_load(pipeline.engines, load_id)


@pytest.mark.parametrize(
    ("state", "given_up_because"),
    [("running", None), ("queued", None), ("failed", "has ended as failed"), ("deleted", "has ended as deleted")],
)
def test_airflow_knows_whether_another_run_lives(
    pipeline: Pipeline, admin: psycopg.Connection, state: str, given_up_because: str | None
) -> None:
    """However long it has to wait for its next task: a backfill fills all slots."""
    first = open.open_load(pipeline.engines.owner, pipeline.contract, Run("first", "here", is_scheduled=True))
    admin.execute("UPDATE batchstream.loads SET seen_at = seen_at - interval '1 hour' WHERE load_id = %s", [first])
    second = Run("second", "here", is_scheduled=True, state_of={"first": state}.get)
    if given_up_because is None:
        with pytest.raises(BusyError):
            open.open_load(pipeline.engines.owner, pipeline.contract, second)
        return
    assert open.open_load(pipeline.engines.owner, pipeline.contract, second) == first + 1
    assert given_up_because in pipeline.ledger(first)["reason"]


def test_a_run_of_another_installation_has_its_own_load(pipeline: Pipeline) -> None:
    open.open_load(pipeline.engines.owner, pipeline.contract, Run("scheduled__2026-01-01", "one", is_scheduled=True))
    other = Run("scheduled__2026-01-01", "two", is_scheduled=True, state_of=lambda _: "failed")
    with pytest.raises(BusyError):
        open.open_load(pipeline.engines.owner, pipeline.contract, other)


def test_a_clock_that_was_set_back_keeps_no_dead_load_alive(
    pipeline: Pipeline, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open, "LEASE_SECONDS", 2)
    dead = pipeline.open()
    admin.execute("UPDATE batchstream.loads SET seen_at = seen_at + interval '1 hour' WHERE load_id = %s", [dead])
    assert pipeline.open(wait_seconds=1) > dead
    assert "then no sign of life" in pipeline.ledger(dead)["reason"]


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle = 'German'",
        "datestyle = 'SQL, DMY'",
        "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'",
        "statement_timeout = '15ms'",
        "transaction_timeout = '15ms'",
        "idle_in_transaction_session_timeout = '1ms'",
        "timezone = 'America/New_York'",
        "search_path = ''",
        "standard_conforming_strings = off",
        "bytea_output = 'escape'",
    ],
)
def test_settings_of_a_role_change_nothing(pipeline: Pipeline, admin: psycopg.Connection, setting: str) -> None:
    roles = (names.OWNER, names.LOADER)
    name, value = setting.split(" = ")
    for role in roles:
        admin.execute(f"ALTER ROLE {role} SET {name} = {value}")
    try:
        assert pipeline.reload().published_rows == 506
        assert pipeline.shows_source()
    finally:
        for role in roles:
            admin.execute(f"ALTER ROLE {role} RESET {name}")


def test_ids_of_loads_follow_one_another_after_a_crash(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    first = pipeline.open()
    # What PostgreSQL does with a sequence after a crash.
    admin.execute("SELECT setval(pg_get_serial_sequence('batchstream.loads', 'load_id'), 1000000)")
    pipeline.fail(first, "a crash")
    assert pipeline.open() == first + 1


def test_a_source_that_can_not_be_opened_has_a_row_in_the_ledger(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.fail(pipeline.open(), "makes the tables")
    pipeline.contract.source.path.unlink()
    with pytest.raises(Exception, match="the source can't be read"):
        pipeline.open("without a source")
    row = admin.execute("SELECT state, reason FROM batchstream.loads WHERE run_id = 'without a source'").fetchone()
    assert row is not None
    assert row[0] == "failed"
    assert "the source can't be read" in row[1]
