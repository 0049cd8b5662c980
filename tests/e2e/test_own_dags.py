"""DAG files of a user's own: a DAG for each contract of a folder, and a reload as a group between tasks of theirs."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from batchstream.local.installation import Installation
from batchstream.paths import ROOT
from tests.conftest import ORDERS
from tests.support import numbers
from tests.support.airflow import airflow

EACH = """\
from pathlib import Path
from batchstream.airflow import make_dags
globals().update(make_dags(Path(__file__).parent / "contracts", tags=["finance"], max_active_tasks=3,
                           default_args={"owner": "anna", "pool": "small", "on_failure_callback": print}))
"""

BETWEEN = """\
from pathlib import Path
from airflow.sdk import DAG, task
from batchstream.airflow import reload_group

@task
def fetch():
    print("BEFORE")

@task
def use():
    print("AFTER")

with DAG("nightly", schedule=None):
    fetch() >> reload_group(Path(__file__).parent / "contracts" / "own_numbers.odcs.yaml", "load_numbers") >> use()
"""

ONE_BY_ONE = """\
from pathlib import Path
from airflow.providers.common.sql.operators.sql import SQLCheckOperator
from airflow.sdk import DAG, task
from batchstream.airflow import Reload

def alert(context):
    error = context["exception"].__cause__
    facts = [getattr(error, name, None) for name in ("dataset", "load_id", "path")]
    print("ALERT", context["ti"].task_id, *facts)

@task
def use(changed):
    print("AFTER", sorted(changed))

with DAG("by_steps", schedule=None, default_args={"owner": "anna", "retries": 0, "on_failure_callback": alert}):
    reload = Reload(Path(__file__).parent / "contracts" / "own_numbers.odcs.yaml")
    load_id = reload.open_load(task_id="begin")
    look = SQLCheckOperator(
        task_id="look",
        conn_id="batchstream_postgres",
        sql="SELECT sum(n) < 100 FROM landing.own_numbers_{{ ti.xcom_pull(task_ids='begin') }}",
    )
    published = reload.publish_load(load_id)
    (
        reload.create_topic(load_id)
        >> reload.produce_batches(load_id, retries=1)
        >> reload.consume_stream(load_id)
        >> [reload.verify_row_count(load_id), reload.verify_columns(load_id), look]
        >> published
        >> reload.verify_published(load_id)
        >> [use(published), reload.close_load(load_id)]
    )
"""

PARSE = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=None)
dag = bag.dags["own_numbers_pipeline"]
print("PARSED" + json.dumps([bag.import_errors, sorted(bag.dags), sorted(dag.tags), dag.max_active_tasks, [
    [task.task_id, task.owner, task.pool, task.retries, [each.__name__ for each in task.on_failure_callback]]
    for task in dag.tasks
]]))
"""


DOCUMENTED = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=None)
print("PARSED" + json.dumps([bag.import_errors, sorted(task.task_id for task in bag.dags["nightly"].tasks)]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    contracts = tmp_path / "dags" / "contracts"
    contracts.mkdir(parents=True)
    numbers.write_contract(contracts, "own_numbers")
    numbers.write_source(tmp_path)
    return tmp_path


def test_each_contract_of_a_folder_is_a_dag_with_arguments_of_the_users(installation: Installation, project: Path) -> None:
    (project / "dags" / "each.py").write_text(EACH)
    environment = installation.environment() | {"AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags")}
    done = subprocess.run([sys.executable, "-c", PARSE], env=environment, capture_output=True, text=True, check=False)
    assert "PARSED" in done.stdout, done.stderr
    errors, dags, tags, tasks_at_once, tasks = json.loads(done.stdout.partition("PARSED")[2])
    assert (errors, dags) == ({}, ["own_numbers_pipeline"])
    assert tags == ["batchstream", "finance", "own_numbers"]
    assert tasks_at_once == 3
    # Of ours stays what they have not said, and the callback that tells the ledger comes before theirs.
    steps = [rest for name, *rest in tasks if name != "reload_published"]
    assert steps == [["anna", "small", 2, ["note_failure", "print"]]] * 9


def test_a_reload_is_a_group_between_tasks_of_the_users(
    installation: Installation, project: Path, admin: psycopg.Connection
) -> None:
    (project / "dags" / "between.py").write_text(BETWEEN)
    folder = {"AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags")}
    loads = "SELECT state, published_rows, reason FROM batchstream.loads WHERE dataset = 'own_numbers' ORDER BY load_id DESC"

    done = airflow(installation, "dags", "test", "nightly", **folder)
    assert done.returncode == 0, done.stdout[-3000:]
    assert done.stdout.index("BEFORE") < done.stdout.index("task_id=load_numbers.open_load") < done.stdout.index("AFTER")
    assert admin.execute(loads).fetchone() == ("published", 3, None)

    (project / "data" / "numbers.csv").write_text("n\n1\ntwo\n")
    done = airflow(installation, "dags", "test", "nightly", **folder)
    assert done.returncode == 1
    assert "AFTER" not in done.stdout
    state, _, reason = admin.execute(loads).fetchone() or ()
    assert state == "failed"
    assert "line 3, column 'n'" in reason
    assert admin.execute("SELECT count(*) FROM public.own_numbers").fetchone() == (3,)


@pytest.mark.nightly
def test_the_steps_stand_one_by_one_between_checks_and_tasks_of_the_users(
    installation: Installation, project: Path, admin: psycopg.Connection
) -> None:
    (project / "dags" / "by_steps.py").write_text(ONE_BY_ONE)
    folder = {"AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags")}
    loads = "SELECT state, reason FROM batchstream.loads WHERE dataset = 'own_numbers' ORDER BY load_id DESC"
    (project / "data" / "numbers.csv").write_text("n\n1\n2\n3\n4\n")

    done = airflow(installation, "dags", "test", "by_steps", **folder)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "AFTER" in done.stdout
    assert admin.execute(loads).fetchone() == ("published", None)
    assert admin.execute("SELECT count(*) FROM public.own_numbers").fetchone() == (4,)

    # A check of the user's, beside ours.
    (project / "data" / "numbers.csv").write_text("n\n99\n98\n")
    done = airflow(installation, "dags", "test", "by_steps", **folder)
    assert done.returncode == 1
    assert "ALERT look None None None\n" in done.stdout
    assert "AFTER" not in done.stdout
    assert admin.execute(loads).fetchone() == ("failed", "failed: look")
    assert admin.execute("SELECT count(*) FROM public.own_numbers").fetchone() == (4,)

    # One of ours, under names that the user has chosen.
    (project / "data" / "numbers.csv").write_text("n\n1\ntwo\n")
    done = airflow(installation, "dags", "test", "by_steps", **folder)
    assert done.returncode == 1
    state, reason, load_id = admin.execute(loads.replace("reason", "reason, load_id")).fetchone() or ()
    assert f"ALERT produce_batches own_numbers {load_id} {project / 'data' / 'numbers.csv'}\n" in done.stdout
    assert state == "failed"
    assert "line 3, column 'n'" in reason
    assert admin.execute("SELECT count(*) FROM public.own_numbers").fetchone() == (4,)


def test_the_documented_steps_are_a_dag(installation: Installation, project: Path) -> None:
    document = (ROOT / "docs" / "own-airflow.md").read_text(encoding="utf-8")
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", document, re.DOTALL) if "Reload(" in block)
    (project / "dags" / "documented.py").write_text(example)
    shutil.copy(ORDERS, project / "dags" / "contracts" / ORDERS.name)
    environment = installation.environment() | {"AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags")}
    done = subprocess.run([sys.executable, "-c", DOCUMENTED], env=environment, capture_output=True, text=True, check=False)
    assert "PARSED" in done.stdout, done.stderr
    errors, tasks = json.loads(done.stdout.partition("PARSED")[2])
    assert errors == {}
    assert len(tasks) == 9 + len({"reload_published", "plausible", "report"})
