"""`make ui`: a running scheduler, API server and LocalExecutor; the schedule, a trigger by REST, and an end without a trace."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batchstream.services.installation import Installation
from tests.support.airflow import airflow
from tests.support.background import Background
from tests.support.waiting import wait_for

SERVE = """
import sys
from pathlib import Path
from batchstream.cli import ui
from batchstream.services.installation import Installation
sys.exit(ui.serve(Installation(Path(sys.argv[1]))))
"""


class Api:
    def __init__(self, installation: Installation) -> None:
        self._headers: dict[str, str] = {}
        self._base = f"http://127.0.0.1:{installation.ports['airflow']}"
        passwords = json.loads((installation.state / "airflow" / "ui_passwords.json").read_text())
        token = self._call("POST", "/auth/token", {"username": "admin", "password": passwords["admin"]})
        self._headers = {"Authorization": f"Bearer {token['access_token']}"}

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._headers},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/api/v2/dags/housing_pipeline/dagRuns")["dag_runs"]
        return found

    def trigger(self) -> str:
        return str(self._call("POST", "/api/v2/dags/housing_pipeline/dagRuns", {"logical_date": None})["dag_run_id"])


@pytest.fixture(scope="module")
def ui(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    log = installation.state / "logs" / "ui.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(installation.state)],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        wait_for(lambda: "log in as 'admin'" in log.read_text(), 180, "make ui says how to log in")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


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
