"""``python -m benchmarks.triggered``: a reload of the 506 records by a running scheduler, and how long its steps wait for it."""

import statistics
import time
from datetime import datetime
from typing import Any

from tests.conftest import running_installation
from tests.support.ui import Api, serving
from tests.support.waiting import wait_for

ROUNDS = 5
"""Of triggered runs, after the one of the schedule, which makes the tables."""

QUIET_SECONDS = 10
"""Between runs: Airflow's components read the DAG files and look for work of others when they start."""


def main() -> None:
    """Print seconds of each run, median and extremes of all."""
    with running_installation() as installation, serving(installation):
        api = wait_for(lambda: Api(installation), 60, "a token of the API")
        wait_for(lambda: _ended(api), 300, "the run by the schedule ends")
        runs = [_triggered(api) for _ in range(ROUNDS)]
    for number, what in enumerate(("the DAG run", "Spark step", "between steps")):
        seconds = [run[number] for run in runs]
        print(f"{what:<14} {statistics.median(seconds):6.2f} s [{min(seconds):.2f} to {max(seconds):.2f}]")


def _triggered(api: Api) -> tuple[float, float, float]:
    """Seconds of one run, of its Spark step, and of the run without its steps."""
    time.sleep(QUIET_SECONDS)
    run_id = api.trigger()
    wait_for(lambda: _ended(api), 300, "the triggered run ends")
    (run,) = [run for run in api.runs() if run["dag_run_id"] == run_id]
    if run["state"] != "success":
        raise RuntimeError(f"run {run_id} ended as {run['state']}")
    took = (datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["start_date"])).total_seconds()
    steps: dict[str, float] = {task["task_id"]: task["duration"] for task in api.tasks(run_id)}
    return took, steps["consume_stream"], took - sum(steps.values())


def _ended(api: Api) -> bool:
    runs: list[dict[str, Any]] = api.runs()
    return bool(runs) and all(run["state"] in ("success", "failed") for run in runs)


if __name__ == "__main__":
    main()
