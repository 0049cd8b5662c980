"""Passwords appear nowhere: not after a run that went well, and not after runs that could not log in."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from batchstream.local.installation import Installation
from batchstream.postgres import names
from tests.support.airflow import airflow
from tests.support.contents import contents

# Where secrets have to be: their own file, and Airflow's file of web users.
KEPT_IN = ("secrets/secrets.json", "airflow/ui_passwords.json")
# What PostgreSQL keeps of a password is its SCRAM verifier. What Kafka keeps of its clients' is one, too, and is searched.
BINARY = ("postgres",)


class Processes(threading.Thread):
    """Collects the command lines of every process while something runs, and the environments of this installation's consumer."""

    def __init__(self, installation: Installation) -> None:
        super().__init__()
        # Other tests run beside this one, with services of their own.
        self.mark = os.fsencode(installation.state)
        self.commands: set[bytes] = set()
        self.environments: dict[bytes, bytes] = {}
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.05):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    with suppress(OSError):
                        self._look(entry)

    def _look(self, process: Path) -> None:
        command = (process / "cmdline").read_bytes()
        self.commands.add(command)
        if b"spark_apps" in command and self.mark in command:
            self.environments[command] = (process / "environ").read_bytes()


def needles(installation: Installation) -> list[bytes]:
    return [secret.encode() for secret in installation.secrets.values()]


def leaks(installation: Installation, *texts: bytes) -> list[str]:
    """Where a secret stands that should not: files of the installation, tables, and the texts that are given."""
    secrets = needles(installation)
    found = [f"text {number}" for number, text in enumerate(texts) if any(secret in text for secret in secrets)]
    searched = 0
    for path, content in contents(installation.state, without=BINARY):
        name = path.relative_to(installation.state).as_posix()
        if name in KEPT_IN:
            continue
        searched += 1
        if any(secret in content for secret in secrets):
            found.append(name)
    assert searched >= 5
    for database in ("kafka_streaming", "airflow"):
        dumped = dump(installation, database)
        assert len(dumped) > 1000
        if any(secret in dumped for secret in secrets):
            found.append(f"database {database}")
    return found


def dump(installation: Installation, database: str) -> bytes:
    """Every row of every table: rendered fields, logs, XComs, the ledger, the quarantine."""
    rows: list[bytes] = []
    with installation.postgres.connect(database) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
                rows.extend(bytes(row) for row in copy)
    return b"\n".join(rows)


@pytest.fixture(scope="module")
def processes(installation: Installation) -> Iterator[Processes]:
    collector = Processes(installation)
    collector.start()
    yield collector
    collector.done.set()
    collector.join()


def test_a_run_that_goes_well_shows_no_password(installation: Installation, processes: Processes) -> None:
    spark = json.loads(installation.environment()["AIRFLOW_CONN_BATCHSTREAM_SPARK"])
    events = installation.state / "spark-events"
    events.mkdir(exist_ok=True)
    spark["extra"]["conf"] |= {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file:{events}"}
    done = airflow(installation, "dags", "test", "housing_pipeline", AIRFLOW_CONN_BATCHSTREAM_SPARK=json.dumps(spark))
    assert done.returncode == 0, done.stdout[-3000:]
    assert any(events.iterdir())
    assert leaks(installation, done.stdout.encode()) == []
    assert any(b"spark_apps/consume.py" in command for command in processes.commands)
    assert leaks(installation, *processes.commands) == []
    _the_consumer_knows_only_what_it_needs(installation, processes.environments)


def _the_consumer_knows_only_what_it_needs(installation: Installation, environments: dict[bytes, bytes]) -> None:
    """Its log-ins to Kafka and PostgreSQL, which Java hands down to Python; not the owner's, nor what is Airflow's."""
    programs = {Path(os.fsdecode(command.split(b"\0", 1)[0])).name for command in environments}
    assert "java" in programs
    assert any(program.startswith("python") for program in programs), programs
    needed = {names.LOADER, "kafka"}
    for environment in environments.values():
        assert {name for name, secret in installation.secrets.items() if secret.encode() in environment} == needed
        assert b"AIRFLOW" not in environment


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong-Pa55word-0123456789"}, "refused the log-in"),
        ({"login": "nobody_at_all"}, "refused the log-in"),
        ({"port": 9}, "can't be reached"),
    ],
    ids=["wrong password", "unknown role", "refused connection"],
)
def test_a_run_that_can_not_log_in_names_the_connection_and_shows_no_password(
    installation: Installation, admin: psycopg.Connection, change: dict[str, object], said: str
) -> None:
    name = "AIRFLOW_CONN_BATCHSTREAM_POSTGRES"
    connection = {**json.loads(installation.environment()[name]), **change}
    task = ["tasks", "test", "housing_pipeline", "create_topic"]
    done = airflow(installation, *task, **{name: json.dumps(connection)})
    where = f"{connection['login']}@127.0.0.1:{connection['port']}/kafka_streaming"
    assert f"connection 'batchstream_postgres' ({where})" in done.stdout
    assert said in done.stdout
    assert str(connection["password"]) not in done.stdout
    assert leaks(installation, done.stdout.encode()) == []


def test_a_run_with_a_wrong_password_is_red_and_shows_none(installation: Installation, admin: psycopg.Connection) -> None:
    name = "AIRFLOW_CONN_BATCHSTREAM_POSTGRES"
    connection = {**json.loads(installation.environment()[name]), "password": "wrong-Pa55word-0123456789"}
    done = airflow(installation, "dags", "test", "housing_pipeline", **{name: json.dumps(connection)})
    assert done.returncode == 1
    assert "connection 'batchstream_postgres'" in done.stdout
    assert connection["password"] not in done.stdout
    assert leaks(installation, done.stdout.encode()) == []
    assert connection["password"].encode() not in dump(installation, "kafka_streaming") + dump(installation, "airflow")
