"""Where the parts of a checkout are: the package runs from the tree that holds its SQL, DAGs and Spark application."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQL_FOLDER = ROOT / "sql"
SPARK_APPLICATION = ROOT / "spark_apps" / "consume.py"

CONTRACTS_VARIABLE = "BATCHSTREAM_CONTRACTS"
"""Environment variable that names another folder of contracts than the one beside the DAG files."""


def contract_paths() -> list[Path]:
    """Every contract file, sorted by name."""
    folder = Path(os.environ.get(CONTRACTS_VARIABLE) or ROOT / "dags" / "contracts")
    return sorted([*folder.glob("*.odcs.yaml"), *folder.glob("*.odcs.yml")])
