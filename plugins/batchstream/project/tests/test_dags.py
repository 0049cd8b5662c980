"""Airflow reads every DAG file, and each contract gives a DAG."""

from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).parents[1] / "dags"


def test_each_contract_is_a_dag() -> None:
    bag = DagBag(dag_folder=str(DAGS))
    assert bag.import_errors == {}
    names = {path.name.partition(".")[0] for path in (DAGS / "contracts").glob("*.odcs.yaml")}
    assert names
    assert {f"{name}_pipeline" for name in names} <= set(bag.dags)
