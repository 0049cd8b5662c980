"""The daily reload as a user waits for it: ``airflow dags test``, from the command's start to its end."""

import time
from typing import Any

from batchstream.cli.dags_test import dags_test
from batchstream.contract import load_contract
from batchstream.local.installation import Installation
from batchstream.paths import contract_paths
from benchmarks.measure import of_rounds

DATASET = "housing"


def measure_dag(installation: Installation, rounds: int) -> dict[str, Any]:
    """Rounds of the whole command over the reference dataset; the first one publishes 506 rows, and is dropped.

    Returns:
        Seconds of the command, of all tasks together (the DAG run), and of each task.

    Raises:
        RuntimeError: A run was red.
    """
    (path,) = [path for path in contract_paths() if path.name.partition(".")[0] == DATASET]
    contract = load_contract(path)
    commands: list[float] = []
    tasks: list[dict[str, float]] = []
    for _ in range(rounds):
        begun = time.monotonic()
        outcome = dags_test(installation, contract, {})
        commands.append(time.monotonic() - begun)
        tasks.append(outcome.seconds)
        if outcome.status:
            raise RuntimeError(outcome.log_file.read_text()[-3000:])
    return {
        "rounds": rounds - 1,
        "command": of_rounds(commands[1:]),
        "run": of_rounds([sum(steps.values()) for steps in tasks[1:]]),
        "tasks": {name: of_rounds([steps[name] for steps in tasks[1:]]) for name in tasks[0]},
    }
