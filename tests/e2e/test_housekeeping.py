"""What runs leave behind is bounded: Airflow's records, logs of tasks and services; and a run that can't tidy is green."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchstream.local import housekeeping
from batchstream.local.installation import Installation
from tests.support.clone import Clone

DAY = 24 * 60 * 60
# Table → its time, and whether it is asked by the run or by the DAG.
TIMES = {"dag_run": "start_date", "task_instance": "start_date", "xcom": "timestamp", "log": "dttm"}


@pytest.fixture
def clone(installation: Installation, tmp_path: Path) -> Clone:
    return Clone(installation, tmp_path)


@pytest.fixture
def stamp(installation: Installation) -> Iterator[Path]:
    """Notes when it was tidied; at the end as if it was now."""
    path = installation.state / "airflow" / "tidied"
    yield path
    path.touch()


def _records(clone: Clone) -> dict[str, int]:
    found = {}
    with clone.installation.postgres.connect("airflow") as airflow:
        for table in (*TIMES, "rendered_task_instance_fields"):
            row = airflow.execute(f"SELECT count(*) FROM {table} WHERE dag_id = %s", [f"{clone.name}_pipeline"]).fetchone()
            assert row is not None
            found[table] = row[0]
        row = airflow.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ '_airflow_deleted'").fetchone()
        assert row == (0,)
    return found


def _make_old(clone: Clone, days: int) -> None:
    with clone.installation.postgres.connect("airflow") as airflow:
        for table, column in TIMES.items():
            airflow.execute(
                f"UPDATE {table} SET {column} = now() - make_interval(days => %s) WHERE dag_id = %s",
                [days, f"{clone.name}_pipeline"],
            )


@pytest.mark.nightly
def test_records_of_old_runs_go_once_a_day_and_younger_ones_stay(
    clone: Clone, stamp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clone.run().returncode == 0
    of_a_run = _records(clone)
    assert min(of_a_run.values()) > 0

    _make_old(clone, housekeeping.KEPT_DAYS + 1)
    stamp.unlink()
    done = clone.run()
    assert done.returncode == 0
    assert f"removing Airflow's records of runs older than {housekeeping.KEPT_DAYS} days: " in done.stdout
    assert _records(clone) == of_a_run

    _make_old(clone, housekeeping.KEPT_DAYS - 1)
    stamp.unlink()
    housekeeping.tidy(clone.installation)
    assert _records(clone) == of_a_run

    _make_old(clone, housekeeping.KEPT_DAYS + 1)
    housekeeping.tidy(clone.installation)
    assert _records(clone) == of_a_run
    capsys.readouterr()

    os.utime(stamp, times=(time.time() - DAY,) * 2)
    refuses = f"refuse_{clone.name}"
    with clone.installation.postgres.connect("airflow") as airflow:
        airflow.execute(
            f"CREATE FUNCTION {refuses}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; "
            f"CREATE TRIGGER {refuses} BEFORE DELETE ON dag_run EXECUTE FUNCTION {refuses}()"
        )
    try:
        housekeeping.tidy(clone.installation)
    finally:
        with clone.installation.postgres.connect("airflow") as airflow:
            airflow.execute(f"DROP TRIGGER {refuses} ON dag_run; DROP FUNCTION {refuses}()")
    log = clone.installation.state / "logs" / "airflow-db-clean.log"
    assert f"is not removed, and tried again tomorrow: 'airflow db clean' failed, see {log}" in capsys.readouterr().out
    assert _records(clone)["dag_run"] == of_a_run["dag_run"]
    # Not again on the same day.
    housekeeping.tidy(clone.installation)
    assert capsys.readouterr().out == ""

    # What that attempt may have left of a run: all but its own record is gone.
    with clone.installation.postgres.connect("airflow") as airflow:
        for table in ("task_instance", "log"):
            airflow.execute(f"DELETE FROM {table} WHERE dag_id = %s", [f"{clone.name}_pipeline"])
    stamp.unlink()
    with housekeeping.tidying(clone.installation):
        pass
    assert set(_records(clone).values()) == {0}


@pytest.mark.nightly
def test_what_is_younger_than_a_run_that_has_not_ended_is_kept(
    clone: Clone, stamp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clone.run().returncode == 0
    of_a_run = _records(clone)
    with clone.installation.postgres.connect("airflow") as airflow:
        _make_old(clone, housekeeping.KEPT_DAYS + 10)
        airflow.execute(
            "INSERT INTO dag_run (dag_id, run_id, run_type, state, run_after, start_date) "
            "VALUES (%s, 'living', 'manual', 'running', now(), now() - make_interval(days => %s))",
            [f"{clone.name}_pipeline", housekeeping.KEPT_DAYS + 11],
        )
    task_log = clone.installation.state / "airflow" / "logs" / "dag_id=living" / "attempt=1.log"
    task_log.parent.mkdir(parents=True)
    task_log.touch()
    os.utime(task_log, times=(time.time() - (housekeeping.KEPT_DAYS + 10) * DAY,) * 2)
    stamp.unlink(missing_ok=True)
    housekeeping.tidy(clone.installation)
    assert "is kept, as a run that began then has not ended" in capsys.readouterr().out
    assert _records(clone) == of_a_run | {"dag_run": of_a_run["dag_run"] + 1}
    assert task_log.exists()

    with clone.installation.postgres.connect("airflow") as airflow:
        airflow.execute("UPDATE dag_run SET state = 'failed' WHERE run_id = 'living'")
    stamp.unlink()
    housekeeping.tidy(clone.installation)
    assert set(_records(clone).values()) == {0}
    assert not task_log.exists()


def test_logs_are_bounded_while_their_services_write(
    installation: Installation, stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = installation.state / "airflow" / "logs"
    old, new = tasks / "dag_id=a" / "run_id=1" / "attempt=1.log", tasks / "dag_id=a" / "run_id=2" / "attempt=1.log"
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.write_text("x")
    os.utime(old, times=(time.time() - (housekeeping.KEPT_DAYS + 1) * DAY,) * 2)
    output = installation.state / "logs" / "fruit_pipeline.20261128T000000.log"
    output.write_text("x" * 3000)
    kafka = installation.kafka.daemon.log_file
    whole = kafka.read_bytes()
    monkeypatch.setattr(housekeeping, "MOST_LOG_BYTES", 2000)
    stamp.unlink(missing_ok=True)
    housekeeping.tidy(installation)
    assert not old.parent.exists()
    assert new.exists()
    assert output.stat().st_size == 3000
    kept = kafka.with_name("kafka.log.1").read_bytes()
    assert len(kept) == 2000
    assert kept[:500] in whole
    installation.kafka.stop()
    written = kafka.read_bytes()
    installation.kafka.start()
    assert 0 < len(written) < len(whole)
    # It goes on at the beginning of the file, without a hole.
    assert b"\0" not in written
    output.unlink()
