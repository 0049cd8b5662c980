"""Airflow as a client sees it: its REST API."""

import json
import time
import urllib.request
from typing import Any

DAG = "housing_pipeline"
RUN_SECONDS = 420


class AirflowApi:
    """A logged-in client."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self._url = f"http://{address}:8088"
        self._token = ""
        self._token = self._call("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def _call(self, method: str, path: str, document: object = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self._token}"} if self._token else {})}
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self._url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def dag(self) -> dict[str, Any]:
        """The pipeline."""
        return self._call("GET", f"/api/v2/dags/{DAG}")

    def connections(self) -> set[str]:
        """Ids of the connections."""
        return {entry["connection_id"] for entry in self._call("GET", "/api/v2/connections")["connections"]}

    def trigger(self) -> str:
        """Start a run; returns its id."""
        return str(self._call("POST", f"/api/v2/dags/{DAG}/dagRuns", {"logical_date": None})["dag_run_id"])

    def tasks(self, run_id: str) -> dict[str, str | None]:
        """State of each task of a run."""
        found = self._call("GET", f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances")
        return {entry["task_id"]: entry["state"] for entry in found["task_instances"]}

    def wait_for_run(self, run_id: str) -> str:
        """Wait for the end of a run; returns its state. That the API is away for a while is no failure."""
        deadline = time.monotonic() + RUN_SECONDS
        while True:
            try:
                state = str(self._call("GET", f"/api/v2/dags/{DAG}/dagRuns/{run_id}")["state"])
            except OSError as error:
                state = f"unknown: {error}"
            if state in ("success", "failed"):
                return state
            if time.monotonic() > deadline:
                raise AssertionError(f"the run {run_id} has the state {state} after {RUN_SECONDS} s")
            time.sleep(0.5)

    def wait_for_task(self, run_id: str, task: str) -> None:
        """Wait until a task of a run works."""
        deadline = time.monotonic() + RUN_SECONDS
        while self.tasks(run_id).get(task) not in ("running", "success"):
            assert time.monotonic() < deadline, f"{task} does not start: {self.tasks(run_id)}"
            time.sleep(0.3)
