"""`make ui` of an installation, and its REST API."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from batchstream.services.installation import Installation
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

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/housing_pipeline/dagRuns/{run_id}/taskInstances"
        found: list[dict[str, Any]] = self._call("GET", path)["task_instances"]
        return found


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
