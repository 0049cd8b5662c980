"""`make run`: its table, its reason and its exit status are those of this run, whatever other loads there are."""

import json
import os
import re
import signal
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from batchstream.local.installation import Installation
from tests.support.clone import GOOD, Clone
from tests.support.commands import batchstream, last_line, start

ORIGIN = {"name": "origin", "physicalType": "text"}


@pytest.fixture
def clone(installation: Installation, tmp_path: Path) -> Clone:
    return Clone(installation, tmp_path)


def _loads(admin: psycopg.Connection, clone: Clone) -> list[tuple[int, str]]:
    return admin.execute(
        "SELECT load_id, state FROM batchstream.loads WHERE dataset = %s ORDER BY load_id", [clone.name]
    ).fetchall()


def test_each_run_tells_of_itself(clone: Clone, admin: psycopg.Connection) -> None:
    clone.write(GOOD + "".join(f"{number},0\n" for number in range(100)))
    done = clone.run()
    assert done.returncode == 0, done.stdout
    ((first, state),) = _loads(admin, clone)
    assert state == "published"
    assert f"load {first} of {clone.name}: published" in done.stdout
    assert "banana" in done.stdout

    # Red after it has opened a load.
    clone.write("item,price\napple,1\nbanana,two\n")
    done = clone.run()
    assert done.returncode == 1
    assert re.search(r"^error: \w+: .*line 3, column 'price': .*'two'", last_line(done.stdout))

    # Red before there is a load to show: the ledger has a row of it that no stage has added to.
    clone.write("item,price,origin\napple,1,here\n")
    done = clone.run()
    assert done.returncode == 1
    assert f"load {first} of {clone.name}:" not in done.stdout
    assert "two" not in done.stdout
    assert f"readers of {clone.name} see load {first}: 102 rows" in done.stdout
    assert re.search(r"^error: open_load: .*fruit\.csv: line 1: the header .*/fruit_[\w.]+\.log", last_line(done.stdout))

    # A column that the published table doesn't have.
    clone.write("item,price,origin\napple,1,here\n", ORIGIN)
    done = clone.run()
    assert done.returncode == 1
    assert "column 'origin'" in last_line(done.stdout)

    # Most of the table is gone from its source.
    clone.write(GOOD)
    done = clone.run()
    assert done.returncode == 1
    assert re.search(
        r"^error: publish_load: .*100 of the 102 rows .*make run ALLOW_CHANGES=1",
        last_line(done.stdout),
    )
    done = clone.run("--allow-changes")
    assert done.returncode == 0, done.stdout
    assert "100 deleted" in done.stdout
    ((last, _),) = _loads(admin, clone)[-1:]
    noted = admin.execute("SELECT run_parameters FROM batchstream.loads WHERE load_id = %s", [last]).fetchone()
    assert noted == ({"allow_changes": True},)


@pytest.mark.nightly
def test_two_at_once_tell_of_their_own_loads(clone: Clone, admin: psycopg.Connection) -> None:
    running = [start(clone.installation, "run", clone.name, **clone.variables()) for _ in range(2)]
    said = [process.communicate(timeout=400)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(said)
    # One says what it waits for.
    assert sorted("  waiting: load " in text for text in said) == [False, True]
    told = [re.findall(r"^load (\d+) of fruit_\w+: published", text, re.MULTILINE) for text in said]
    assert sorted(int(load) for loads in told for load in loads) == [load for load, _ in _loads(admin, clone)[-2:]]
    together = admin.execute(
        "SELECT count(*) FROM batchstream.loads AS a JOIN batchstream.loads AS b ON a.dataset = b.dataset "
        "AND a.load_id < b.load_id AND b.opened_at < coalesce(a.published_at, a.closed_at) WHERE a.dataset = %s",
        [clone.name],
    ).fetchone()
    assert together == (0,), "two loads of one dataset were in progress at the same time"


def test_a_run_that_was_killed_is_marked_as_failed_at_the_next_start(clone: Clone, admin: psycopg.Connection) -> None:
    process = clone.start_and_wait_for("starting task_id=consume_stream")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    killed, state = _loads(admin, clone)[-1]
    assert state == "produced"
    done = clone.run()
    assert done.returncode == 0, done.stdout
    assert "was left behind: the command that ran it was killed" in done.stdout
    # It is known to be dead, so nobody waits for a sign of life.
    assert "waiting: load" not in done.stdout
    assert dict(_loads(admin, clone))[killed] == "failed"
    assert _unfinished(clone) == []


def _unfinished(clone: Clone) -> list[str]:
    of = "SELECT run_id FROM dag_run WHERE dag_id = %s AND state IN ('running', 'queued')"
    with clone.installation.postgres.connect("airflow") as airflow:
        rows = airflow.execute(of, [f"{clone.name}_pipeline"]).fetchall()
    return [run_id for (run_id,) in rows]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["postgres", "kafka"])
def test_a_service_that_crashes_is_started_again_and_the_run_succeeds(clone: Clone, name: str) -> None:
    process = clone.start_and_wait_for("starting task_id=consume_stream")
    pid = getattr(clone.installation, name).daemon.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=400)
    assert process.returncode == 0, said
    assert "crashed and is started again" in said
    assert f"of {clone.name}: published" in said


@pytest.mark.nightly
def test_make_down_in_mid_run_is_told_as_such(clone: Clone) -> None:
    process = clone.start_and_wait_for("starting task_id=create_topic")
    try:
        clone.installation.down()
        said, _ = process.communicate(timeout=400)
    finally:
        clone.installation.up()
    assert process.returncode == 1
    assert "Traceback" not in said
    assert last_line(said).startswith("error: Kafka and PostgreSQL: stopped while the run worked, as make down does; run again")
    assert "started again" not in said


def test_ctrl_c_leaves_no_run_and_no_process(clone: Clone, admin: psycopg.Connection) -> None:
    process = clone.start_and_wait_for("starting task_id=consume_stream")
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert last_line(said) == "error: the run was interrupted, and is marked as failed: run again"
    assert _loads(admin, clone)[-1][1] == "failed"
    assert _unfinished(clone) == []


def _own(installation: Installation, **changes: object) -> dict[str, str]:
    """A user's connections to PostgreSQL: one as JSON, and one as a URI."""
    made = {name: json.loads(text) for name, text in installation.connections().variables.items() if "POSTGRES" in name}
    loader, owner = ({**made[f"AIRFLOW_CONN_BATCHSTREAM_POSTGRES{suffix}"], **changes} for suffix in ("", "_OWNER"))
    uri = f"postgres://{owner['login']}:{quote(owner['password'])}@{owner['host']}:{owner['port']}/{owner['schema']}"
    return {"AIRFLOW_CONN_BATCHSTREAM_POSTGRES": json.dumps(loader), "AIRFLOW_CONN_BATCHSTREAM_POSTGRES_OWNER": uri}


@pytest.mark.nightly
def test_connections_of_a_users_own_are_used_and_told(clone: Clone, admin: psycopg.Connection) -> None:
    done = clone.run(**_own(clone.installation, host="localhost"))
    assert done.returncode == 0, done.stdout
    for name in ("batchstream_postgres", "batchstream_postgres_owner"):
        assert f"connection {name} is your own, of AIRFLOW_CONN_{name.upper()}" in done.stdout
    assert f"of {clone.name}: published" in done.stdout

    done = clone.run(**_own(clone.installation, host="localhost", login="nobody_at_all"))
    assert done.returncode == 1
    assert re.search(
        r"^error: open_load: connection 'batchstream_postgres_owner' \(nobody_at_all@localhost:", last_line(done.stdout)
    )
    assert len(_loads(admin, clone)) == 1


def test_half_of_a_users_own_connections_is_refused_before_anything_is_sent(clone: Clone, admin: psycopg.Connection) -> None:
    done = clone.run(AIRFLOW_CONN_BATCHSTREAM_POSTGRES="postgres://me:secret@elsewhere/db")
    assert done.returncode == 1
    assert "'batchstream_postgres_owner' is not: set both" in last_line(done.stdout)
    assert _loads(admin, clone) == []


def test_a_connection_that_was_made_in_airflow_is_used(clone: Clone) -> None:
    with clone.installation.postgres.connect("airflow") as airflow:
        airflow.execute(
            "INSERT INTO connection (conn_id, conn_type, extra, is_encrypted, is_extra_encrypted) "
            "VALUES ('batchstream_kafka', 'kafka', '{}', false, false)"
        )
    try:
        done = clone.run()
    finally:
        with clone.installation.postgres.connect("airflow") as airflow:
            airflow.execute("DELETE FROM connection")
    assert done.returncode == 1
    assert "connection batchstream_kafka is your own, of Airflow's connections" in done.stdout
    assert "connection 'batchstream_kafka': extra has no 'bootstrap.servers'" in last_line(done.stdout)


def test_a_data_set_without_a_contract_is_told_with_those_that_have_one(installation: Installation) -> None:
    done = batchstream(installation, "run", "no_such")
    assert done.returncode == 1
    assert last_line(done.stdout).endswith("or use one of housing")
