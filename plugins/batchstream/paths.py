"""Where SQL, the Spark application and the project are: in a checkout, or beside an installed package."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""A wheel has SQL, Spark application and jars.lock inside of the package; a checkout has them in folders of their own."""

IS_INSTALLED = (PACKAGE / "sql").is_dir()
_PARTS = PACKAGE if IS_INSTALLED else PACKAGE.parents[1]

COMMAND = "batchstream" if IS_INSTALLED else "make"
"""What stands before ``run``, ``ui`` and the like."""

SQL_FOLDER = _PARTS / "sql"
SPARK_APPLICATION = _PARTS / "spark_apps" / "consume.py"
JARS_LOCK = _PARTS / "jars.lock"

PROJECT_VARIABLE = "BATCHSTREAM_PROJECT"
"""Environment variable that names the project of an installed package; by default it is the working directory."""

ROOT = Path(os.environ.get(PROJECT_VARIABLE, "") if IS_INSTALLED else _PARTS).resolve()
"""The project: the folder that holds ``dags/`` and ``.batchstream/``. A checkout is its own."""

CONTRACTS_VARIABLE = "BATCHSTREAM_CONTRACTS"
"""Environment variable that names another folder of contracts than the one beside the DAG files."""


def contract_paths(folder: Path | None = None) -> list[Path]:
    """Every contract file of a folder, by default of the project's, sorted by name."""
    folder = folder or Path(os.environ.get(CONTRACTS_VARIABLE) or ROOT / "dags" / "contracts")
    return sorted([*folder.glob("*.odcs.yaml"), *folder.glob("*.odcs.yml")])
