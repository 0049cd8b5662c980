"""Shows contracts with mistakes as an import error of Airflow, in a file of its own so that every other DAG stays up."""

from pathlib import Path

from batchstream.airflow import require_contracts

require_contracts(Path(__file__).parent / "contracts")
