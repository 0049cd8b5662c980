"""``python -m benchmarks.parse``: how long Airflow's DAG processor takes for the DAG file, by the number of contracts."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from batchstream.local.installation import Installation
from batchstream.paths import CONTRACTS_VARIABLE, ROOT
from tests.conftest import HOUSING, running_installation

ROUNDS = 6
"""The first one is dropped."""

# The processor imports what the file imports of Airflow, and forks a process for each parse, with its objects kept from the
# collector.
PARSE = f"""
import gc, importlib, json
import airflow.dag_processing.manager
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.file import iter_airflow_imports
file = {str(ROOT / "dags" / "pipelines.py")!r}
for module in iter_airflow_imports(file):
    importlib.import_module(module)
gc.freeze()
(parsed,) = DagBag(file).dagbag_stats
print("PARSED" + json.dumps([parsed.dag_num, parsed.duration.total_seconds()]))
"""


def main() -> None:
    """Print medians of interleaved rounds."""
    with running_installation() as installation:
        for contracts, seconds in measure_parse(installation, (1, 50)).items():
            print(f"{contracts:>3} contracts {seconds:6.3f} s")


def measure_parse(installation: Installation, sizes: tuple[int, ...]) -> dict[int, float]:
    """Median seconds of the file with so many contracts, from its first import to its last DAG."""
    with tempfile.TemporaryDirectory() as folder:
        folders = {contracts: _folder(Path(folder) / str(contracts), contracts) for contracts in sizes}
        rounds = [{size: _parse(installation, made, size) for size, made in folders.items()} for _ in range(ROUNDS)]
    return {size: statistics.median(one[size] for one in rounds[1:]) for size in sizes}


def _folder(folder: Path, contracts: int) -> Path:
    folder.mkdir()
    for number in range(contracts):
        text = HOUSING.read_text().replace("name: housing\n", f"name: copy{number}\n")
        (folder / f"copy{number}.odcs.yaml").write_text(text.replace("value: housing-data", f"value: copy{number}-data"))
    return folder


def _parse(installation: Installation, contracts: Path, expected: int) -> float:
    environment = installation.environment() | {CONTRACTS_VARIABLE: str(contracts)}
    done = subprocess.run([sys.executable, "-c", PARSE], env=environment, capture_output=True, text=True, check=True)
    dags, seconds = json.loads(done.stdout.partition("PARSED")[2])
    if dags != expected:
        raise RuntimeError(f"{dags} DAGs of {expected} contracts: {done.stdout[-2000:]}")
    return float(seconds)


if __name__ == "__main__":
    main()
