"""Airflow's own levers on a running pipeline, by its REST API: none ends in a green run that published nothing, or too much."""

from collections.abc import Iterator

import psycopg
import pytest

from batchstream.local.installation import Installation
from batchstream.paths import CONTRACTS_VARIABLE
from tests.support.ui import Api, serving
from tests.support.waiting import wait_for

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: {name}
version: 1.0.0
status: active
customProperties:
  - {{property: sourcePath, value: data/{name}.csv}}
  - {{property: schedule, value: {schedule}}}
schema:
  - name: {name}
    quality:
      - {{name: all there, type: sql, query: "SELECT max(n) FROM {{object}}", mustBe: {expected}}}
    properties:
      - {{name: n, physicalType: bigint, required: true, primaryKey: true}}
"""


@pytest.fixture(scope="module")
def api(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A running Airflow with two data sets of three records: `levered`, and `overdue`, whose rule is broken."""
    project = tmp_path_factory.mktemp("levers")
    (project / "dags" / "contracts").mkdir(parents=True)
    (project / "data").mkdir()
    for name, expected, schedule in (("levered", 3, '"@daily"'), ("overdue", 999, "null")):
        text = CONTRACT.format(name=name, expected=expected, schedule=schedule)
        (project / "dags" / "contracts" / f"{name}.odcs.yaml").write_text(text)
        (project / "data" / f"{name}.csv").write_text("n\n1\n2\n3\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONTRACTS_VARIABLE, str(project / "dags" / "contracts"))
        with serving(installation):
            found = wait_for(lambda: Api(installation), 60, "a token of the API")
            wait_for(lambda: {"levered_pipeline", "overdue_pipeline"} <= set(found.dags()), 120, "the DAGs are read")
            for dag in ("levered_pipeline", "overdue_pipeline"):
                found.unpause(dag)
            found.sources = project / "data"
            yield found


def _rows(admin: psycopg.Connection, table: str) -> int | None:
    if admin.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone() == (None,):
        return None
    (count,) = admin.execute(f"SELECT count(*) FROM public.{table}").fetchone() or (None,)
    return count


def _wait_for_task(api: Api, dag: str, run: str, task: str, *states: str) -> None:
    wait_for(lambda: api.task_states(dag, run).get(task) in states, 120, f"{task} is {states}", every_seconds=0.2)


def _wait_for_end(api: Api, dag: str, run: str) -> str:
    return wait_for(lambda: state if (state := api.run_state(dag, run)) in ("success", "failed") else None, 420, "the run ends")


def test_a_check_that_is_marked_as_green_by_hand_publishes_nothing(api: Api, admin: psycopg.Connection) -> None:
    run = api.trigger("overdue_pipeline")
    _wait_for_task(api, "overdue_pipeline", run, "consume_stream", "success")
    api.mark_task("overdue_pipeline", run, "verify_columns", "success")
    assert _wait_for_end(api, "overdue_pipeline", run) == "failed"
    assert _rows(admin, "overdue") is None
    row = admin.execute("SELECT state, reason FROM batchstream.loads WHERE run_id = %s", [run]).fetchone()
    assert row is not None
    assert row[0] == "failed"
    assert "not every check of it is green" in row[1] or "all there: got 3" in row[1]


@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_a_run_that_is_marked_by_hand_and_published_nothing_is_not_green(api: Api, admin: psycopg.Connection, state: str) -> None:
    run = api.trigger("overdue_pipeline")
    _wait_for_task(api, "overdue_pipeline", run, "consume_stream", "running")
    if state == "failed":
        api.mark_run("overdue_pipeline", run, "failed")
    else:
        api.mark_task("overdue_pipeline", run, "consume_stream", "skipped")
    _wait_for_task(api, "overdue_pipeline", run, "close_load", "success", "failed", "skipped")
    assert _wait_for_end(api, "overdue_pipeline", run) == "failed"
    assert _rows(admin, "overdue") is None
    assert admin.execute("SELECT state FROM batchstream.loads WHERE run_id = %s", [run]).fetchone() == ("failed",)


def test_last_tasks_that_are_marked_by_hand_leave_a_run_red_that_published_nothing(api: Api, admin: psycopg.Connection) -> None:
    """Also the finished run itself, and many at a time."""
    run = api.trigger("overdue_pipeline")
    _wait_for_task(api, "overdue_pipeline", run, "consume_stream", "running")
    for task in ("close_load", "verify_published", "reload_published", "consume_stream", "publish_load"):
        api.mark_task("overdue_pipeline", run, task, "success")
    assert _wait_for_end(api, "overdue_pipeline", run) == "failed"
    states = api.task_states("overdue_pipeline", run)
    assert states["close_load"] == states["reload_published"] == "success"
    api.mark_run("overdue_pipeline", run, "success")
    assert api.run_state("overdue_pipeline", run) == "failed"
    api.mark_runs("overdue_pipeline", [run], "success")
    assert api.run_state("overdue_pipeline", run) == "failed"
    assert "overdue was not published" in api.note("overdue_pipeline", run)
    assert _rows(admin, "overdue") is None


@pytest.mark.nightly
def test_a_closing_that_is_marked_by_hand_before_it_has_looked_hides_nothing(api: Api, admin: psycopg.Connection) -> None:
    run = api.trigger("overdue_pipeline")
    _wait_for_task(api, "overdue_pipeline", run, "consume_stream", "running")
    api.mark_task("overdue_pipeline", run, "close_load", "success")
    assert _wait_for_end(api, "overdue_pipeline", run) == "failed"
    assert api.task_states("overdue_pipeline", run)["close_load"] == "success"
    assert _rows(admin, "overdue") is None


@pytest.mark.nightly
def test_the_days_of_a_backfill_take_turns(api: Api, admin: psycopg.Connection) -> None:
    """Five runs at once, on four slots: those that wait hold none, and none is taken for dead."""
    api.backfill("levered_pipeline", "2026-01-01", "2026-01-05")
    runs = wait_for(
        lambda: (
            found if len(found := [run for run in api.runs("levered_pipeline") if run["run_type"] == "backfill"]) == 5 else None
        ),
        60,
        "five runs",
    )
    states = {run["dag_run_id"]: _wait_for_end(api, "levered_pipeline", run["dag_run_id"]) for run in runs}
    loads = admin.execute("SELECT run_id, state, reason FROM batchstream.loads WHERE run_id = ANY(%s)", [list(states)]).fetchall()
    assert set(states.values()) == {"success"}, loads
    assert {state for _, state, _ in loads} == {"published"}
    assert _rows(admin, "levered") == 3


def test_a_broken_rule_leaves_the_last_load(api: Api, admin: psycopg.Connection) -> None:
    """Three records are published; a fourth breaks the rule."""
    first = api.trigger("levered_pipeline")
    assert _wait_for_end(api, "levered_pipeline", first) == "success"
    # What was published stays green, marked or not.
    api.mark_run("levered_pipeline", first, "failed")
    api.mark_run("levered_pipeline", first, "success")
    assert api.run_state("levered_pipeline", first) == "success"
    (api.sources / "levered.csv").write_text("n\n1\n2\n3\n4\n")
    run = api.trigger("levered_pipeline")
    assert _wait_for_end(api, "levered_pipeline", run) == "failed"
    assert api.task_states("levered_pipeline", run)["verify_columns"] == "failed"
    assert _rows(admin, "levered") == 3
    row = admin.execute(
        "SELECT l.reason, v.passed, v.message FROM batchstream.loads AS l JOIN batchstream.verdicts AS v USING (load_id) "
        "WHERE l.run_id = %s AND v.check_name = 'columns'",
        [run],
    ).fetchone()
    assert row is not None
    assert "all there: got 4" in row[0]
    assert row[1:] == (False, "all there: got 4")


def test_a_table_that_is_not_what_was_published_turns_the_run_red(api: Api, admin: psycopg.Connection) -> None:
    """Somebody deletes a row between the publish and the look at it."""
    (api.sources / "levered.csv").write_text("n\n1\n2\n3\n")
    run = api.trigger("levered_pipeline")
    published = "SELECT state = 'published' FROM batchstream.loads WHERE run_id = %s"
    wait_for(lambda: admin.execute(published, [run]).fetchone() == (True,), 120, "the publish", every_seconds=0.01)
    admin.execute("DELETE FROM public.levered WHERE n = 1")
    assert _wait_for_end(api, "levered_pipeline", run) == "failed"
    assert api.task_states("levered_pipeline", run)["verify_published"] == "failed"
    row = admin.execute("SELECT state, reason FROM batchstream.loads WHERE run_id = %s", [run]).fetchone()
    assert row == ("published", "failed: verify_published")
