"""Two runs of one dataset at the same time: one works, the other waits; never both in the landing or the publish."""

import os
import subprocess

import psycopg

from batchstream.services.installation import Installation
from tests.support.airflow import airflow


def test_two_runs_at_the_same_time_take_turns(installation: Installation, admin: psycopg.Connection) -> None:
    # Airflow's own registration of a DAG that its database doesn't know yet is not safe against itself.
    assert airflow(installation, "dags", "reserialize").returncode == 0
    running = [
        subprocess.Popen(
            ["airflow", "dags", "test", "housing_pipeline"],
            env=installation.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs[0][-3000:] + outputs[1][-3000:]
    # One waited for the other; both may have waited for a red run before them, until it counted as dead.
    assert any("waiting: load" in output for output in outputs)
    first, second = admin.execute(
        "SELECT state, opened_at, published_at, updated_rows FROM batchstream.loads WHERE dataset = 'housing' "
        "ORDER BY load_id DESC LIMIT 2"
    ).fetchall()[::-1]
    assert first[0] == second[0] == "published"
    assert first[2] < second[1], "the second load was opened before the first was published"
    assert admin.execute("SELECT count(*) FROM housing").fetchone() == (506,)


def test_a_run_that_was_killed_is_seen_as_such_by_the_next_one(installation: Installation, admin: psycopg.Connection) -> None:
    process = subprocess.Popen(
        ["airflow", "dags", "test", "housing_pipeline"],
        env=installation.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "starting task_id=consume_stream" in line:
            break
    os.killpg(process.pid, 9)
    process.communicate()
    (killed,) = admin.execute("SELECT max(load_id) FROM batchstream.loads WHERE dataset = 'housing'").fetchone() or (None,)
    done = airflow(installation, "dags", "test", "housing_pipeline")
    assert done.returncode == 0, done.stdout[-3000:]
    row = admin.execute("SELECT state, reason FROM batchstream.loads WHERE load_id = %s", [killed]).fetchone()
    assert row is not None
    assert row[0] == "failed"
    assert "was killed or lost: produced, then no sign of life" in row[1]
    assert admin.execute("SELECT count(*) FROM housing").fetchone() == (506,)
