"""Runs of ``airflow dags test`` that commands of this installation started, and what becomes of those that were killed.

A command holds a lock on a file of its own, and so does each process that it starts for the run: the system gives the lock
back with the last of them, whatever killed them. A file without a lock is a run that nobody runs any more. Airflow would
count it as running for ever, and with one active run a DAG, start no other.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg

from batchstream.errors import BatchstreamError
from batchstream.local import metadata
from batchstream.local.console import out
from batchstream.local.environment import ledger_name
from batchstream.local.installation import Installation
from batchstream.postgres import ledger, names
from batchstream.postgres.connection import connect

REASON = "the command that ran it was killed or lost its services"


class Held(NamedTuple):
    """A run that this process holds: by a descriptor that children have to inherit, and with a file for what its tasks report."""

    descriptor: int
    report: Path


def _folder(installation: Installation) -> Path:
    folder = installation.state / "airflow" / "runs"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def hold(installation: Installation, dag_id: str, logical_date: datetime) -> Iterator[Held]:
    """Hold a run while this process, or one that inherits the descriptor, works on it."""
    path = _folder(installation) / f"{logical_date.strftime('%Y%m%dT%H%M%S%f')}-{os.getpid()}.run"
    descriptor = _locked(path, {"dag_id": dag_id, "logical_date": logical_date.isoformat()})
    report = path.with_suffix(".report")
    try:
        yield Held(descriptor, report)
    finally:
        os.close(descriptor)


def hold_for_command(installation: Installation) -> None:
    """Hold whatever runs the command starts that replaces this process."""
    path = _folder(installation) / f"{os.getpid()}-{time.time_ns()}.command"
    os.set_inheritable(_locked(path, {"began": datetime.now(UTC).isoformat()}), True)


def _locked(path: Path, facts: dict[str, str]) -> int:
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, json.dumps(facts).encode())
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    # Under its name only now, so that nobody finds it without its lock.
    partial.rename(path)
    return descriptor


def _is_held(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def fail_abandoned(installation: Installation, *, also_of_commands: bool = True) -> list[metadata.DagRun]:
    """Mark runs as failed that nobody runs any more, in Airflow's records and in the ledger.

    Args:
        installation: Whose runs; its PostgreSQL has to run.
        also_of_commands: Also those of ``batchstream exec``, which are known by Airflow's records alone.
    """
    abandoned = [path for path in sorted(_folder(installation).glob("*.run")) if not _is_held(path)]
    if not abandoned and not also_of_commands:
        return []
    failed = []
    with installation.postgres.connect(names.AIRFLOW) as airflow:
        airflow.autocommit = True
        found = [run for path in abandoned if (run := _run_of(airflow, path))]
        if also_of_commands:
            others = metadata.unfinished_tests(airflow, _oldest_command(installation))
            # Looked at after those: a run that starts at this moment has its file before it is in Airflow's records.
            held = {run for path in _folder(installation).glob("*.run") if _is_held(path) and (run := _run_of(airflow, path))}
            found += [run for run in others if run not in held]
        for run in found:
            # The ledger first: if this is killed, too, the next one finds the run again.
            if run.state in metadata.UNFINISHED:
                _close_loads(installation, run)
                if metadata.fail(airflow, run):
                    failed.append(run)
                    out.print(f"run {run.run_id} of {run.dag_id} was left behind: {REASON}; it is marked as failed", markup=False)
    for path in abandoned:
        path.with_suffix(".report").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    return failed


def _run_of(airflow: psycopg.Connection, path: Path) -> metadata.DagRun | None:
    try:
        facts = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return metadata.find(airflow, facts["dag_id"], datetime.fromisoformat(facts["logical_date"]))


def _oldest_command(installation: Installation) -> datetime:
    """When the oldest command began that still works; a run that began before it is none of its."""
    began = [datetime.now(UTC)]
    for path in _folder(installation).glob("*.command"):
        if _is_held(path):
            began.append(datetime.fromisoformat(json.loads(path.read_text())["began"]))
        else:
            path.unlink(missing_ok=True)
    return min(began)


def _close_loads(installation: Installation, run: metadata.DagRun) -> None:
    """Close the loads of a run in the ledger of this installation, so that the next run need not wait for a sign of life."""
    try:
        with connect(installation.engines().owner, application_name="batchstream recovery") as session:
            if session.execute("SELECT to_regclass('batchstream.loads')").fetchone() == (None,):
                return
            # Another Airflow, or another DAG, may have a run of that name, which goes on.
            loads = session.execute(
                "SELECT load_id FROM batchstream.loads WHERE run_id = %s AND dag_id = %s AND installation = %s",
                [run.run_id, run.dag_id, ledger_name(installation.state)],
            ).fetchall()
            for (load_id,) in loads:
                ledger.close(session, load_id, reason=REASON)
    except (BatchstreamError, psycopg.Error) as error:
        # The next run waits for a sign of life instead.
        out.print(f"the ledger could not be told of run {run.run_id}: {error}", markup=False)
