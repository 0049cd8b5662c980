"""`make ui`: schedule and triggers, what it listens on, what it recovers from, and an end without a trace."""

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from batchstream.local import sessions
from batchstream.local.environment import ledger_name
from batchstream.local.installation import Installation
from batchstream.local.processes import start_time
from batchstream.paths import CONTRACTS_VARIABLE
from tests.support import numbers
from tests.support.commands import start
from tests.support.sockets import LOOPBACK_ADDRESSES, listening
from tests.support.ui import Api, serving
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two data sets of three records: one whose scheduled time is half a day away, and one whose time is every minute."""
    project = tmp_path_factory.mktemp("scheduled")
    folder = project / "dags" / "contracts"
    folder.mkdir(parents=True)
    numbers.write_source(project)
    for name, schedule in (("seldom", f"0 {(datetime.now(UTC).hour + 12) % 24} * * *"), ("often", "* * * * *")):
        numbers.write_contract(folder, name, schedule=schedule)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONTRACTS_VARIABLE, str(folder))
        yield


def _kill_a_run(installation: Installation, at: str) -> None:
    """Kill a run of `seldom`, and everything that belongs to it, while it works."""
    run = start(installation, "run", "seldom")
    log = installation.state / "logs" / "seldom_pipeline.log"
    before = log.resolve()
    wait_for(lambda: log.resolve() != before and at in log.read_text(), 120, at)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def _leave_loads(installation: Installation, admin: psycopg.Connection, failed_run: str) -> list[int]:
    """Loads that were seen a moment ago, of runs of `seldom` that Airflow knows to have ended, or doesn't know."""
    rows = [
        admin.execute(
            "INSERT INTO batchstream.loads (load_id, dataset, dag_id, run_id, installation, run_kind, state, contract_version, "
            "source_path, topic) OVERRIDING SYSTEM VALUE SELECT max(load_id) + 1, 'seldom', 'seldom_pipeline', %s, %s, "
            "'scheduler', 'produced', '1.0.0', '', '' FROM batchstream.loads RETURNING load_id",
            [run_id, ledger_name(installation.state)],
        ).fetchone()
        for run_id in (failed_run, "of a deleted record")
    ]
    return [row[0] for row in rows if row]


def _api(installation: Installation) -> Api:
    api = wait_for(lambda: Api(installation), 60, "a token of the API")
    wait_for(lambda: {"seldom_pipeline", "often_pipeline"} <= set(api.dags()), 120, "the DAGs are read")
    return api


def _state(api: Api, run_id: str, dag: str = "seldom_pipeline") -> str:
    return wait_for(lambda: state if (state := api.run_state(dag, run_id)) in ("success", "failed") else "", 240, "the run ends")


def test_it_runs_what_is_due_or_triggered_also_after_kills_and_ctrl_c_leaves_nothing(
    installation: Installation, contracts: None, admin: psycopg.Connection
) -> None:
    _kill_a_run(installation, "starting task_id=consume_stream")
    with serving(installation) as ui:
        api = _api(installation)
        (killed,) = api.runs("seldom_pipeline")
        assert killed["state"] == "failed"
        # Nobody has asked for a run, and none is due.
        assert [run["run_type"] for run in api.runs("seldom_pipeline")] == ["manual"]
        left = _leave_loads(installation, admin, killed["dag_run_id"])
        triggered = api.trigger("seldom_pipeline")
        assert _state(api, triggered) == "success"
        due = wait_for(lambda: [run["dag_run_id"] for run in api.runs("often_pipeline")], 120, "a run by the schedule")[-1]
        assert due.startswith("scheduled__")
        assert _state(api, due, "often_pipeline") == "success"
        loads = admin.execute(
            "SELECT dataset, state, published_rows, dag_id, installation, run_kind "
            "FROM batchstream.loads WHERE (dataset, run_id) IN ((%s, %s), (%s, %s))",
            ["often", due, "seldom", triggered],
        ).fetchall()
        whose = ledger_name(installation.state), "scheduler"
        assert sorted(loads) == [
            ("often", "published", 3, "often_pipeline", *whose),
            ("seldom", "published", 3, "seldom_pipeline", *whose),
        ]
        reasons = "SELECT run_id, reason FROM batchstream.loads WHERE load_id = ANY (%s)"
        assert dict(admin.execute(reasons, [left]).fetchall()) == {
            killed["dag_run_id"]: f"run {killed['dag_run_id']} has ended as failed and left the load produced",
            "of a deleted record": "run of a deleted record has ended as deleted and left the load produced",
        }

        _listens_on_loopback_only(installation)

        # Beside it, a run is killed: the next one of its DAG is not kept waiting.
        _kill_a_run(installation, "Created dag run")
        _kill_component(installation, b"airflow\0scheduler")
        assert _state(api, api.trigger("seldom_pipeline")) == "success"
        assert {run["state"] for run in api.runs("seldom_pipeline")} == {"success", "failed"}

        before = _processes(installation)
        ui.send_signal(signal.SIGINT)
        assert ui.wait(60) == 0
        assert {pid: command for pid, command in before.items() if start_time(pid) is not None} == {}
    said = (installation.state / "logs" / "ui.log").read_text()
    assert "Airflow's scheduler ended and is started again" in said
    assert "Traceback" not in said
    assert _processes(installation) == {}


@pytest.mark.nightly
def test_after_a_kill_it_starts_anew_beside_nothing_of_the_old_one(installation: Installation, contracts: None) -> None:
    with serving(installation) as ui:
        old = _processes(installation)
        ui.kill()
        ui.wait()
        assert _processes(installation).keys() & old.keys()
    with serving(installation):
        new = _processes(installation)
        assert not new.keys() & old.keys()
        assert sum(b"airflow\0scheduler" in command for command in new.values()) == 1
        api = _api(installation)
        assert _state(api, api.trigger("seldom_pipeline")) == "success"
    assert _processes(installation) == {}


@pytest.mark.nightly
def test_make_down_ends_it(installation: Installation) -> None:
    with serving(installation) as ui:
        try:
            installation.down()
            assert ui.wait(60) == 1
        finally:
            installation.up()
    assert "stopped, as make down does" in (installation.state / "logs" / "ui.log").read_text()
    assert _processes(installation) == {}


def _listens_on_loopback_only(installation: Installation) -> None:
    sockets = {socket for pid in _processes(installation) for socket in listening(pid)}
    assert {port for _, port in sockets} >= {installation.ports["airflow"], installation.ports["airflow_logs"]}
    assert {address for address, _ in sockets} <= LOOPBACK_ADDRESSES
    # Its server of logs answers, and gives none to whoever has no token.
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{installation.ports['airflow_logs']}/log/x", timeout=10)


def _kill_component(installation: Installation, command: bytes) -> None:
    for pid, line in _processes(installation).items():
        if command in line:
            os.kill(pid, signal.SIGKILL)
            return
    raise AssertionError(f"{command!r} does not run")


def _processes(installation: Installation) -> dict[int, bytes]:
    """Airflow's processes of this installation, with their command lines."""
    # Some of them overwrite their environment with a title, and have to be found by their session.
    pids = set(sessions.members(sessions.noted(installation.state / "airflow" / "components.json")))
    mark = f"AIRFLOW_HOME={installation.state / 'airflow'}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if int(entry.name) in pids or mark in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes()
                    # A Spark cluster of other tests, which has the same environment.
                    if b"org.apache.spark.deploy" not in command:
                        found[int(entry.name)] = command
            except OSError:
                continue
    return found
