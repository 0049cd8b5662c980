"""Every contract gives a DAG with the design's steps; a contract with a mistake is an import error and harms no other."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from batchstream.contract import parse_contract
from batchstream.contract.names import handle_of
from batchstream.errors import ContractError
from batchstream.local.installation import Installation
from batchstream.paths import ROOT
from tests.conftest import HOUSING, ORDERS
from tests.support.names import ODD
from tests.unit.contract_documents import as_text, distinct, documents

CONTRACTS = sorted(HOUSING.parent.glob("*.odcs.yaml"))
STEPS = [
    "open_load",
    "create_topic",
    "produce_batches",
    "consume_stream",
    "verify_row_count",
    "verify_columns",
    "publish_load",
    "verify_published",
    "close_load",
]

# In a process of its own: Airflow reads its configuration when it is imported.
PARSE = """
import json, os, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
if faulty := os.environ.get("FAULTY_DATASET"):
    # A fault of ours, with one of the contracts.
    from batchstream.airflow import contracts
    real = contracts.build_pipeline
    contracts.build_pipeline = lambda contract: 1 / 0 if contract.name == faulty else real(contract)
bag = DagBag(dag_folder=None)
heavy = {"psycopg", "pandas", "numpy", "pyarrow", "pyspark", "batchstream.spark"} & set(sys.modules)
from airflow.serialization.serialized_objects import DagSerialization
for dag in bag.dags.values():
    DagSerialization.to_dict(dag)
from airflow.providers.apache.kafka.operators.produce import ProduceToTopicOperator
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.providers.common.sql.operators.sql import SQLCheckOperator
known = {"produce": ProduceToTopicOperator, "spark": SparkSubmitOperator, "check": SQLCheckOperator}
print("PARSED" + json.dumps({
    "errors": bag.import_errors,
    "heavy": sorted(heavy),
    "dags": {dag.dag_id: {
        "tasks": [task.task_id for task in dag.topological_sort()],
        "downstream": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
        "kinds": {task.task_id: [name for name, kind in known.items() if isinstance(task, kind)] for task in dag.tasks},
        "undocumented": [task.task_id for task in dag.tasks if not task.doc_md],
        "untimed": [task.task_id for task in dag.tasks if task.execution_timeout is None],
        "retries": {task.task_id: [task.retries, task.retry_delay.total_seconds()] for task in dag.tasks},
        "teardowns": [task.task_id for task in dag.tasks if task.is_teardown],
        "schedule": dag.timetable.expression,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
    } for dag in bag.dags.values()},
}))
"""

IMPORTS = """
import importlib, sys
import airflow.dag_processing.manager
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.file import iter_airflow_imports
for module in iter_airflow_imports(sys.argv[1]):
    importlib.import_module(module)
before = set(sys.modules)
assert DagBag(sys.argv[1]).dags
print("IMPORTED", *sorted(set(sys.modules) - before))
"""


def parse(installation: Installation, contracts: Path | None = None, **variables: str) -> dict[str, dict[str, object]]:
    environment = installation.environment() | variables
    if contracts is not None:
        environment["BATCHSTREAM_CONTRACTS"] = str(contracts)
    done = subprocess.run([sys.executable, "-c", PARSE], env=environment, capture_output=True, text=True, check=False)
    assert "PARSED" in done.stdout, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout.partition("PARSED")[2])
    return found


@pytest.fixture(scope="module")
def parsed(installation: Installation) -> dict[str, dict[str, object]]:
    return parse(installation)


def test_there_is_at_least_one_contract() -> None:
    assert CONTRACTS


def test_no_dag_file_has_an_import_error(parsed: dict[str, dict[str, object]]) -> None:
    assert parsed["errors"] == {}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_each_contract_gives_the_steps_of_the_design_in_their_order(parsed: dict[str, dict[str, object]], path: Path) -> None:
    dag = parsed["dags"][f"{path.name.removesuffix('.odcs.yaml')}_pipeline"]
    assert sorted(dag["tasks"]) == sorted([*STEPS, "reload_published"])
    # A second last task, so that neither alone makes a run green.
    assert dag["downstream"]["verify_published"] == ["close_load", "reload_published"]
    assert dag["downstream"]["reload_published"] == dag["downstream"]["close_load"] == []
    for step, following in pairwise(STEPS):
        assert following in dag["downstream"][step]


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_each_dag_is_daily_without_catch_up_and_one_run_at_a_time(parsed: dict[str, dict[str, object]], path: Path) -> None:
    dag = parsed["dags"][f"{path.name.removesuffix('.odcs.yaml')}_pipeline"]
    assert (dag["schedule"], dag["catchup"], dag["max_active_runs"]) == ("0 0 * * *", False, 1)


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_each_task_is_documented_bounded_in_time_and_retried_soon(parsed: dict[str, dict[str, object]], path: Path) -> None:
    dag = parsed["dags"][f"{path.name.removesuffix('.odcs.yaml')}_pipeline"]
    assert dag["undocumented"] == dag["untimed"] == []
    assert all(1 <= retries <= 3 and 1 <= delay <= 10 for retries, delay in dag["retries"].values())
    assert dag["teardowns"] == ["close_load"]


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("produce_batches", "produce"),
        ("consume_stream", "spark"),
        ("verify_row_count", "check"),
        ("verify_columns", "check"),
        ("verify_published", "check"),
    ],
)
def test_steps_are_operators_of_the_released_providers(parsed: dict[str, dict[str, object]], step: str, kind: str) -> None:
    assert parsed["dags"]["housing_pipeline"]["kinds"][step] == [kind]


def second_dataset(name: str) -> str:
    """The contract of another dataset with housing's columns."""
    return HOUSING.read_text().replace("name: housing\n", f"name: {name}\n").replace("value: housing-data", f"value: {name}-data")


def test_reading_the_dag_files_imports_nothing_that_only_tasks_need(parsed: dict[str, dict[str, object]]) -> None:
    assert parsed["heavy"] == []


def test_a_task_that_starts_makes_its_own_dag_alone(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / HOUSING.name).write_text(HOUSING.read_text())
    (tmp_path / "other.odcs.yaml").write_text(second_dataset("other"))
    assert sorted(parse(installation, tmp_path)["dags"]) == ["housing_pipeline", "other_pipeline"]
    # As Airflow tells the DAG files of a task that it starts.
    found = parse(installation, tmp_path, _AIRFLOW_PARSING_CONTEXT_DAG_ID="other_pipeline")
    assert list(found["dags"]) == ["other_pipeline"]
    assert found["errors"] == {}


def test_a_broken_contract_is_an_import_error_and_the_other_dags_stay(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / HOUSING.name).write_text(HOUSING.read_text())
    (tmp_path / "broken.odcs.yaml").write_text(second_dataset("broken").replace("physicalType: integer", "physicalType: intt", 1))
    found = parse(installation, tmp_path)
    assert list(found["dags"]) == ["housing_pipeline"]
    ((file, message),) = found["errors"].items()
    assert file.endswith("contract_errors.py")
    for said in ("broken.odcs.yaml", "column 'chas'", "physicalType", "'intt'", "use one of"):
        assert said in str(message)


# What stands in pipelines.py, in its modules, or means something to Airflow or Python.
NAMES = [
    "build",
    "dags",
    "make_dags",
    "airflow",
    "dag",
    "task",
    "contract",
    "globals",
    "pipelines",
    "batchstream",
]


def test_a_dataset_may_be_called_as_anything_that_stands_in_the_dag_files(installation: Installation, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.odcs.yaml").write_text(second_dataset(name))
    found = parse(installation, tmp_path)
    assert found["errors"] == {}
    assert sorted(found["dags"]) == sorted(f"{name}_pipeline" for name in NAMES)


def test_each_table_of_a_contract_without_a_mistake_has_a_dag(installation: Installation, tmp_path: Path) -> None:
    document = yaml.safe_load(second_dataset("one"))
    document["customProperties"] = [entry for entry in document["customProperties"] if entry["property"] != "topic"]
    document["schema"] += [{"name": "broken", "properties": []}, document["schema"][0] | {"name": "another one"}]
    (tmp_path / "both.odcs.yaml").write_text(yaml.safe_dump(document))
    found = parse(installation, tmp_path)
    ((file, message),) = found["errors"].items()
    assert file.endswith("contract_errors.py")
    assert "schema[1].properties: is empty" in str(message)
    dag_ids = {"one_pipeline", f"{handle_of('another one')}_pipeline"}
    assert set(found["dags"]) == dag_ids
    for dag_id in dag_ids:
        assert list(parse(installation, tmp_path, _AIRFLOW_PARSING_CONTEXT_DAG_ID=dag_id)["dags"]) == [dag_id]


def test_a_dataset_of_any_name_has_a_dag_that_a_task_finds_again(installation: Installation, tmp_path: Path) -> None:
    for number, name in enumerate(ODD):
        written = yaml.safe_dump(name, default_style='"', width=1000).strip()
        text = second_dataset(written).replace(f"value: {written}-data", f"value: t{number}")
        (tmp_path / f"x{number}.odcs.yaml").write_text(text)
    found = parse(installation, tmp_path)
    assert found["errors"] == {}
    dag_ids = {f"{handle_of(name)}_pipeline" for name in ODD}
    assert set(found["dags"]) == dag_ids
    assert len(dag_ids) == len(ODD)
    one = f"{handle_of(ODD[0])}_pipeline"
    assert list(parse(installation, tmp_path, _AIRFLOW_PARSING_CONTEXT_DAG_ID=one)["dags"]) == [one]


@pytest.mark.parametrize("wanted", [None, "housing_pipeline"])
def test_a_contract_of_which_airflow_makes_no_dag_is_an_import_error_of_its_own(
    wanted: str | None, installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / HOUSING.name).write_text(HOUSING.read_text())
    (tmp_path / "b.odcs.yaml").write_text(second_dataset("b"))
    # A file of Airflow's own, of which a text would be read: without care "not/there.md" ends every DAG of the file.
    described = (
        second_dataset("c")
        .replace("limitations:", "usage:")
        .replace("a fixed, well-known load for a data pipeline.", "not/there.md")
    )
    (tmp_path / "c.odcs.yaml").write_text(described)
    (tmp_path / "d.odcs.yaml").write_text("kind: [")
    variables = {} if wanted is None else {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": wanted}
    found = parse(installation, tmp_path, FAULTY_DATASET="b", **variables)
    assert sorted(found["dags"]) == (["c_pipeline", "housing_pipeline"] if wanted is None else [wanted])
    ((file, message),) = found["errors"].items()
    assert file.endswith("contract_errors.py")
    assert "b.odcs.yaml: batchstream fails with this contract, which is a fault of its own: ZeroDivisionError" in str(message)
    assert "d.odcs.yaml: line 2: is not YAML" in str(message)


def test_of_any_contract_without_a_mistake_airflow_makes_a_dag(installation: Installation, tmp_path: Path) -> None:
    valid: list[str] = []

    @settings(max_examples=200, deadline=None, database=None)
    @given(documents())
    def collect(document: dict[str, Any]) -> None:
        text = as_text(distinct(document, len(valid)))
        try:
            found = parse_contract(text, tmp_path / "x.odcs.yaml")
        except ContractError:
            return
        if found.name == f"x{len(valid)}":
            valid.append(text)

    collect()
    assert len(valid) > 10
    for number, text in enumerate(valid):
        (tmp_path / f"x{number}.odcs.yaml").write_text(text)
    found = parse(installation, tmp_path)
    assert found["errors"] == {}
    assert sorted(found["dags"]) == sorted(f"x{number}_pipeline" for number in range(len(valid)))


def test_a_second_dataset_needs_only_its_contract(installation: Installation) -> None:
    found = parse(installation, ORDERS.parent)
    assert found["errors"] == {}
    assert sorted(found["dags"]["orders_pipeline"]["tasks"]) == sorted([*STEPS, "reload_published"])


def test_airflows_processor_has_imported_the_providers_before_it_forks(installation: Installation) -> None:
    # It imports what stands in the file, once; what only other modules import is imported by every parse.
    command = [sys.executable, "-c", IMPORTS, str(ROOT / "dags" / "pipelines.py")]
    done = subprocess.run(command, env=installation.environment(), capture_output=True, text=True, check=False)
    assert "IMPORTED" in done.stdout, done.stderr
    imported = done.stdout.partition("IMPORTED")[2].split()
    assert "batchstream.airflow.pipeline" in imported
    late = {"airflow.providers", "airflow.sdk.definitions.decorators", "confluent_kafka", "requests"}
    assert [name for name in imported if name.startswith(tuple(late))] == []
