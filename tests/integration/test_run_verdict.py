"""What `make run` says of a run: by its own load, and by what failed first."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from batchstream.cli.dags_test import Outcome
from batchstream.cli.verdict import Verdict, judge
from batchstream.local import metadata, runs
from batchstream.local.installation import Installation
from batchstream.postgres import names
from batchstream.report import Failure
from tests.support.pipeline import Pipeline

RUN = "manual__this"
RETRIED = Failure("open_load", "somebody else holds a lock", final=False)
FIRST = Failure("publish_load", "it would delete\ntoo much", final=True)
AFTER = Failure("close_load", "it was not published", final=True)


class Judged:
    """A run of the data set in Airflow's records, beside whatever loads there are."""

    def __init__(self, pipeline: Pipeline, admin: psycopg.Connection, began: datetime) -> None:
        self.pipeline = pipeline
        self._admin = admin
        self._began = began

    def load(self, run_id: str, *, published: bool, reason: str | None = None) -> int:
        load_id = self.pipeline.open(run_id)
        self._admin.execute(
            "UPDATE batchstream.loads SET state = %s, reason = %s, published_at = CASE WHEN %s THEN now() END WHERE load_id = %s",
            ["published" if published else "failed", reason, published, load_id],
        )
        return load_id

    def verdict(self, status: int, *failures: Failure, last_words: str | None = None) -> Verdict:
        outcome = Outcome(self._began, Path("the.log"), status, failures=list(failures), last_words=last_words)
        with self.pipeline.connect(names.OWNER) as ledger:
            return judge(self.pipeline.installation, ledger, self.pipeline.contract, outcome)


@pytest.fixture
def judged(pipeline: Pipeline, installation: Installation, admin: psycopg.Connection) -> Iterator[Judged]:
    began = datetime.now(UTC)
    with installation.postgres.connect(names.AIRFLOW) as airflow:
        airflow.autocommit = True
        airflow.execute(
            "INSERT INTO dag_run (dag_id, run_id, run_type, state, logical_date, run_after) "
            "VALUES (%s, %s, 'manual', 'failed', %s, %s)",
            [pipeline.contract.dag_id, RUN, began, began],
        )
        yield Judged(pipeline, admin, began)
        airflow.execute("DELETE FROM dag_run WHERE dag_id = %s", [pipeline.contract.dag_id])


def test_a_newer_load_of_another_run_is_not_this_ones(judged: Judged) -> None:
    own = judged.load(RUN, published=False, reason="its own cause")
    judged.load("manual__other", published=True)
    found = judged.verdict(1)
    assert found.load is not None
    assert found.load["load_id"] == own
    assert found.reason == "its own cause (everything that was printed: the.log)"


@pytest.mark.parametrize("column", ["installation", "dag_id"])
def test_a_load_of_another_airflow_or_dag_is_not_this_ones_and_goes_on(
    judged: Judged, admin: psycopg.Connection, column: str
) -> None:
    """Their runs may have the same name, as those of ``airflow dags test`` with a date."""
    pipeline, dag_id = judged.pipeline, judged.pipeline.contract.dag_id
    load_id = pipeline.open(RUN)
    admin.execute(f"UPDATE batchstream.loads SET {column} = 'another' WHERE load_id = %s", [load_id])
    assert judged.verdict(1).load is None
    runs._close_loads(pipeline.installation, metadata.DagRun(dag_id, RUN, "running"))
    assert pipeline.ledger(load_id)["state"] == "opened"
    if column == "dag_id":
        runs._close_loads(pipeline.installation, metadata.DagRun("another", RUN, "running"))
        assert pipeline.ledger(load_id)["state"] == "failed"


def test_a_run_without_a_load_shows_none(judged: Judged) -> None:
    judged.load("manual__other", published=True)
    assert judged.verdict(1, RETRIED, FIRST).load is None
    green = judged.verdict(0)
    assert green.load is None
    assert str(green.reason).startswith("the run ended as if all were well, but no load of it is in the ledger")


def test_only_a_published_load_of_a_run_that_ended_well_is_green(judged: Judged) -> None:
    load_id = judged.load(RUN, published=True)
    assert judged.verdict(0).reason is None
    red = judged.verdict(1, AFTER)
    assert str(red.reason).startswith(f"load {load_id} was published, and then the run failed: close_load: it was not published")


@pytest.mark.parametrize(
    ("status", "failures", "last_words", "said"),
    [
        (1, [RETRIED, FIRST, AFTER], "SystemExit: 1", "publish_load: it would delete too much"),
        (-9, [RETRIED], None, "airflow dags test was ended by SIGKILL: run again"),
        (1, [RETRIED], "OSError: no space", "airflow dags test ended with OSError: no space"),
        (3, [], None, "airflow dags test ended with exit status 3 and no message: run again"),
    ],
)
def test_the_first_failure_that_was_final_is_the_cause(
    judged: Judged, status: int, failures: list[Failure], last_words: str | None, said: str
) -> None:
    assert judged.verdict(status, *failures, last_words=last_words).reason == f"{said} (everything that was printed: the.log)"


def test_a_load_that_is_left_unpublished_by_a_green_run_is_told(judged: Judged) -> None:
    load_id = judged.load(RUN, published=False)
    found = judged.verdict(0)
    assert str(found.reason).startswith(f"the run ended, and load {load_id} is failed and not published: run again")
