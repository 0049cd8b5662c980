"""Where SQL and the Spark application are: in a wheel inside of the package, in a checkout in folders of their own."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parents[1]

_PARTS = PACKAGE if (PACKAGE / "sql").is_dir() else ROOT
SQL_FOLDER = _PARTS / "sql"
SPARK_APPLICATION = _PARTS / "spark_apps" / "consume.py"

CONTRACTS_VARIABLE = "BATCHSTREAM_CONTRACTS"
"""Environment variable that names another folder of contracts than the one beside the DAG files."""


def contract_paths() -> list[Path]:
    """Every contract file, sorted by name."""
    folder = Path(os.environ.get(CONTRACTS_VARIABLE) or ROOT / "dags" / "contracts")
    return sorted([*folder.glob("*.odcs.yaml"), *folder.glob("*.odcs.yml")])
