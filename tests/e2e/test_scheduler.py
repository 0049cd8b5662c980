"""`make ui`: a running scheduler, API server and LocalExecutor; the schedule, a trigger by REST, and an end without a trace."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchstream.services.installation import Installation
from tests.support.airflow import airflow
from tests.support.background import Background
from tests.support.ui import Api, serving
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def ui(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    with serving(installation) as process:
        yield process


def test_schedule_and_trigger_reload_the_dataset_and_ctrl_c_leaves_nothing(
    ui: subprocess.Popen[str], installation: Installation
) -> None:
    api = wait_for(lambda: Api(installation), 60, "a token of the API")

    def states() -> dict[str, str]:
        return {run["dag_run_id"]: run["state"] for run in api.runs()}

    scheduled = wait_for(lambda: [run for run in states() if run.startswith("scheduled__")], 120, "a run by the schedule")
    triggered = api.trigger()
    beside = Background(airflow, installation, "dags", "test", "housing_pipeline")
    wait_for(lambda: set(states().values()) <= {"success", "failed"}, 300, "every run ends")
    beside.wait(300)
    # The scheduler takes tasks of any run. One that it takes just when the command starts it is an error of Airflow's.
    assert beside.result.returncode == 0 or "TaskAlreadyRunningError" in beside.result.stdout, beside.result.stdout[-3000:]
    found = states()
    assert found[scheduled[0]] == "success"
    assert found[triggered] == "success"
    with installation.postgres.connect("kafka_streaming") as connection:
        loads = connection.execute(
            "SELECT run_id, state, published_rows FROM batchstream.loads WHERE run_id = ANY(%s)", [[scheduled[0], triggered]]
        ).fetchall()
        assert sorted(loads) == sorted((run, "published", 506) for run in (scheduled[0], triggered))
        assert connection.execute("SELECT count(*) FROM housing").fetchone() == (506,)
        together = connection.execute(
            "SELECT count(*) FROM batchstream.loads AS a JOIN batchstream.loads AS b ON a.dataset = b.dataset "
            "AND a.load_id < b.load_id AND b.opened_at < coalesce(a.published_at, a.closed_at)"
        ).fetchone()
        assert together == (0,), "two loads of one dataset were in progress at the same time"
    ours = _airflow_processes(installation)
    assert ours
    ui.send_signal(signal.SIGINT)
    assert ui.wait(60) == 0
    assert _airflow_processes(installation) == []


def _airflow_processes(installation: Installation) -> list[str]:
    """Processes with this installation's Airflow home, but for this one and the services."""
    found = []
    mark = f"AIRFLOW_HOME={installation.state / 'airflow'}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(f"{entry.name}: {(entry / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()}")
            except OSError:
                continue
    return found
