"""Where the parts of a checkout are: the package runs from the tree that holds its SQL, DAGs and Spark application."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQL_FOLDER = ROOT / "sql"
CONTRACTS_FOLDER = ROOT / "dags" / "contracts"
SPARK_APPLICATION = ROOT / "spark_apps" / "consume.py"
