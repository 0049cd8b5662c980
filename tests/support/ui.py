"""`make ui` of an installation, and its REST API."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from batchstream.local.installation import Installation
from tests.support.waiting import wait_for

SERVE = """
import sys
from pathlib import Path
from batchstream.cli import ui
from batchstream.local.installation import Installation
sys.exit(ui.serve(Installation(Path(sys.argv[1]))))
"""


HOUSING = "housing_pipeline"


class Api:
    def __init__(self, installation: Installation) -> None:
        self._headers: dict[str, str] = {}
        self.sources: Path = installation.state
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

    def dags(self) -> list[str]:
        return [dag["dag_id"] for dag in self._call("GET", "/api/v2/dags")["dags"]]

    def unpause(self, dag: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def runs(self, dag: str = HOUSING) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
        return found

    def run_state(self, dag: str, run_id: str) -> str:
        return str(self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}")["state"])

    def trigger(self, dag: str = HOUSING, **conf: Any) -> str:
        return str(self._call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})["dag_run_id"])

    def tasks(self, run_id: str, dag: str = HOUSING) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = self._call("GET", path)["task_instances"]
        return found

    def task_states(self, dag: str, run_id: str) -> dict[str, str | None]:
        return {task["task_id"]: task["state"] for task in self.tasks(run_id, dag)}

    def mark_task(self, dag: str, run_id: str, task: str, state: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{dag}/dagRuns/{run_id}/taskInstances/{task}", {"new_state": state})

    def mark_run(self, dag: str, run_id: str, state: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{dag}/dagRuns/{run_id}", {"state": state})

    def mark_runs(self, dag: str, run_ids: list[str], state: str) -> None:
        entities = [{"dag_id": dag, "dag_run_id": run_id, "state": state} for run_id in run_ids]
        body = {"actions": [{"action": "update", "entities": entities, "update_mask": ["state"]}]}
        self._call("PATCH", f"/api/v2/dags/{dag}/dagRuns", body)

    def note(self, dag: str, run_id: str) -> str:
        return self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}")["note"] or ""

    def backfill(self, dag: str, first_day: str, last_day: str) -> None:
        days = {"from_date": f"{first_day}T00:00:00Z", "to_date": f"{last_day}T00:00:00Z"}
        self._call("POST", "/api/v2/backfills", {"dag_id": dag, **days, "max_active_runs": 10})


@contextmanager
def serving(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    """The process of `make ui`, ended by Ctrl-C."""
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
