"""Airflow's own records of runs, in its database: for what no command of Airflow's does."""

from datetime import datetime
from typing import NamedTuple

import psycopg

UNFINISHED = ["queued", "running"]


class DagRun(NamedTuple):
    """A run, as Airflow knows it."""

    dag_id: str
    run_id: str
    state: str


def find(connection: psycopg.Connection, dag_id: str, logical_date: datetime) -> DagRun | None:
    """The run of a DAG with a logical date, which only one has."""
    row = connection.execute(
        "SELECT dag_id, run_id, state FROM dag_run WHERE dag_id = %s AND logical_date = %s", [dag_id, logical_date]
    ).fetchone()
    return None if row is None else DagRun(*row)


def unfinished_tests(connection: psycopg.Connection, before: datetime) -> list[DagRun]:
    """Runs of ``airflow dags test`` that began before a time and have not ended."""
    rows = connection.execute(
        "SELECT dag_id, run_id, state FROM dag_run WHERE triggered_by = 'TEST' AND state = ANY(%s) AND run_after < %s",
        [UNFINISHED, before],
    ).fetchall()
    return [DagRun(*row) for row in rows]


def has_older(connection: psycopg.Connection, before: datetime) -> bool:
    """Whether there are records of runs, of tasks, or of what happened to them, from before a time.

    The last run of a DAG that was not triggered by hand doesn't count: 'airflow db clean' keeps it.
    """
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM task_instance WHERE start_date < %(before)s) "
        "OR EXISTS (SELECT FROM log WHERE dttm < %(before)s) "
        # Left behind alone where an attempt to remove them had failed.
        "OR EXISTS (SELECT FROM dag_run AS old WHERE start_date < %(before)s AND (run_type = 'manual' OR EXISTS ("
        "SELECT FROM dag_run WHERE dag_id = old.dag_id AND run_type <> 'manual' AND start_date > old.start_date)))",
        {"before": before},
    ).fetchone()
    return row == (True,)


def oldest_running(connection: psycopg.Connection) -> datetime | None:
    """When the oldest run began that has not ended; None if there is none."""
    row = connection.execute("SELECT min(start_date) FROM dag_run WHERE state = 'running'").fetchone()
    return row[0] if row else None


def fail(connection: psycopg.Connection, run: DagRun) -> bool:
    """Mark a run that nobody runs any more as failed, as Airflow's web interface would; False if it has ended."""
    with connection.transaction():
        done = connection.execute(
            "UPDATE dag_run SET state = 'failed', end_date = now(), updated_at = now() "
            "WHERE dag_id = %s AND run_id = %s AND state = ANY(%s)",
            [run.dag_id, run.run_id, UNFINISHED],
        )
        if done.rowcount == 0:
            return False
        connection.execute(
            "UPDATE task_instance SET end_date = now(), updated_at = now(), "
            "state = CASE WHEN state IN ('queued', 'running', 'restarting', 'up_for_retry') THEN 'failed' ELSE 'skipped' END "
            "WHERE dag_id = %s AND run_id = %s "
            "AND (state IS NULL OR state NOT IN ('success', 'failed', 'skipped', 'upstream_failed', 'removed'))",
            [run.dag_id, run.run_id],
        )
        # The scheduler makes no further run while this is set, and clears it only when it ends a run itself.
        connection.execute("UPDATE dag SET exceeds_max_non_backfill = false WHERE dag_id = %s", [run.dag_id])
    return True
