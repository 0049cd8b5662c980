"""A DAG for each contract of the folder beside this file."""

from pathlib import Path

from batchstream.airflow import make_dags

globals().update(make_dags(Path(__file__).parent / "contracts", default_args={"owner": "me"}))
