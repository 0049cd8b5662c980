"""How fast each format of a source is read: one data set in each, from the file to the messages, in a process of its own."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backports import zstd

from batchstream.contract import load_contract
from batchstream.paths import ROOT
from benchmarks.datasets import write_dataset
from benchmarks.measure import of_rounds
from tests.support.ways import (
    GERMAN,
    GERMAN_SETTINGS,
    TYPES,
    Row,
    as_csv,
    as_lines,
    as_objects,
    as_parquet,
    as_workbook,
    columns,
    make_rows,
    table,
)
from tests.support.written import as_yaml

RECORDS = 20_000

Written = tuple[bytes | str, dict[str, Any]]


def _csv(rows: list[Row]) -> bytes:
    return as_csv(table(rows)).encode()


FORMATS: dict[str, Callable[[list[Row]], Written]] = {
    "CSV": lambda rows: (_csv(rows), {}),
    "CSV, gzip": lambda rows: (gzip.compress(_csv(rows)), {}),
    "CSV, zstd": lambda rows: (zstd.compress(_csv(rows)), {}),
    "CSV with decimal commas and German dates": lambda rows: (as_csv(table(rows, GERMAN), ";"), GERMAN_SETTINGS),
    "JSON Lines": lambda rows: (as_lines(as_objects(rows)), {"sourceFormat": "json"}),
    "JSON array": lambda rows: (f"[{as_lines(as_objects(rows)).strip().replace(chr(10), ',')}]\n", {"sourceFormat": "json"}),
    "Parquet": lambda rows: (
        as_parquet(rows, row_group_size=5_000),
        {"sourceFormat": "parquet", "sourceOtherColumns": "ignored"},
    ),
    "xlsx": lambda rows: (as_workbook([list(TYPES), *rows]), {"sourceFormat": "xlsx"}),
}
NUMBERS = "numbers between blanks, nothing else"


def write(folder: Path, records: int) -> dict[str, Path]:
    """Write the data set in each format; returns the contracts."""
    rows, contracts = make_rows(records), {NUMBERS: write_dataset("numeric", records, folder)}
    for number, (name, written) in enumerate(FORMATS.items()):
        content, settings = written(rows)
        path = folder / "data" / f"formats_{records}_{number}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        document = {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "version": "1.0.0",
            "customProperties": [
                {"property": each, "value": value} for each, value in {"sourcePath": f"data/{path.name}", **settings}.items()
            ],
            "schema": [{"name": path.name, "properties": columns()}],
        }
        contracts[name] = folder / "dags" / "contracts" / f"{path.name}.odcs.yaml"
        contracts[name].write_text(as_yaml(document), encoding="utf-8")
    return contracts


def read(contract: Path) -> tuple[float, int]:
    """Read a source in a process of its own; returns seconds without the start of Python, and the peak of its memory."""
    command = [sys.executable, "-m", "benchmarks.apps.read", str(contract)]
    seconds, peak = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return float(seconds), int(peak)


def measure_formats(folder: Path, rounds: int, records: int = RECORDS) -> dict[str, Any]:
    """Interleaved rounds over all formats; the first one is dropped."""
    contracts = write(folder, records)
    runs: dict[str, list[tuple[float, int]]] = {name: [] for name in contracts}
    for _ in range(rounds):
        for name, contract in contracts.items():
            runs[name].append(read(contract))
    return {
        "records": records,
        "rounds": rounds - 1,
        "formats": {
            name: {
                **of_rounds([seconds for seconds, _ in found[1:]]),
                "peak_bytes": max(peak for _, peak in found),
                "source_bytes": load_contract(contracts[name]).source.file.stat().st_size,
            }
            for name, found in runs.items()
        },
    }
