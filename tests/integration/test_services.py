"""The embedded services beside others: ports, processes, private files, restarts; with a second installation of its own."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from batchstream.cli.output import describe
from batchstream.local import ports
from batchstream.local.chosen_ports import PREFERRED_PORTS
from batchstream.local.installation import Installation
from batchstream.local.kafka import EmbeddedKafka
from batchstream.local.postgres import EmbeddedPostgres
from tests.conftest import ODD_FOLDER, make_state
from tests.support.own_services import CommandLines, Own, command_lines_now, taken
from tests.support.sockets import LOOPBACK_ADDRESSES, listening


@pytest.fixture(scope="module")
def own() -> Iterator[Own]:
    """Started while the usual ports are taken, with ``LC_ALL=C``, in a long path with spaces, accents and other characters."""
    top = make_state()
    found = Installation(top / ODD_FOLDER)
    try:
        # Airflow's ports are chosen only, and free again for whoever else runs tests on this machine.
        with taken(*PREFERRED_PORTS.values()):
            found.state.mkdir(parents=True)
            assert set(found.ports) == set(PREFERRED_PORTS)
        with (
            taken(*(PREFERRED_PORTS[name] for name in ("kafka", "kafka_controller", "postgres"))),
            CommandLines() as command_lines,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setenv("LC_ALL", "C")
            found.up()
        yield Own(found, top, command_lines.seen | command_lines_now(), dict(found.secrets))
    finally:
        found.down()
        found.postgres.remove()
        shutil.rmtree(top)


def _cluster_id(installation: Installation) -> str:
    admin = AdminClient({**installation.kafka.client_settings, "log_level": 0})
    return str(admin.describe_cluster(request_timeout=15).result().cluster_id)


def _data_directory(installation: Installation) -> str:
    with installation.postgres.connect() as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    return str(row[0])


def _start_time(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_where_the_usual_ports_are_taken_others_are_chosen_and_it_says_so(own: Own) -> None:
    chosen = own.installation.ports
    assert not set(chosen.values()) & set(PREFERRED_PORTS.values())
    assert len(set(chosen.values())) == len(PREFERRED_PORTS)
    assert min(chosen.values()) > 0
    assert own.installation.taken_ports() == {name: chosen[name] for name in ("kafka", "postgres", "airflow")}
    for line, label, name in zip(describe(own.installation), ("Kafka", "PostgreSQL"), ("kafka", "postgres"), strict=True):
        assert line.startswith(f"{label} on 127.0.0.1:{chosen[name]} (")
        assert "taken" in line.partition("(")[2]


def test_chosen_ports_are_kept(own: Own) -> None:
    assert Installation(own.installation.state).ports == own.installation.ports


def test_two_installations_work_at_the_same_time_one_of_them_in_an_odd_folder(own: Own, installation: Installation) -> None:
    services = ("kafka", "kafka_controller", "postgres")
    assert not {own.installation.ports[name] for name in services} & {installation.ports[name] for name in services}
    assert own.installation.state.is_relative_to(own.top)
    # Nothing was made beside it, in a folder of a name that was read wrongly.
    places = [own.top, *(own.top / place for place in [*ODD_FOLDER.parents][:-1])]
    assert [len(list(place.iterdir())) for place in places] == [1] * len(places)
    assert _data_directory(own.installation) == str(own.installation.postgres.data)
    assert _data_directory(installation) == str(installation.postgres.data)
    assert len({_data_directory(own.installation), _data_directory(installation)}) == 2
    assert len({_cluster_id(own.installation), _cluster_id(installation)}) == 2
    assert (own.installation.kafka.folder / "data" / "meta.properties").exists()


def test_services_listen_on_loopback_only(own: Own) -> None:
    kafka, postgres = own.daemons()
    assert kafka is not None
    assert postgres is not None
    for pid, names in ((kafka, ("kafka", "kafka_controller")), (postgres, ("postgres",))):
        sockets = listening(pid)
        assert {port for _, port in sockets} == {own.installation.ports[name] for name in names}
        assert {address for address, _ in sockets} <= LOOPBACK_ADDRESSES


def test_no_password_is_in_a_command_line(own: Own) -> None:
    seen = own.command_lines
    # Both services and what prepares them were seen, so the looking works.
    for part in ("bin/initdb ", "bin/postgres ", "kafka.Kafka ", "kafka.tools.StorageTool "):
        assert any(part in line for line in seen), part
    for name, secret in own.secrets.items():
        assert not any(secret in line for line in seen), name


def test_generated_folders_and_secrets_are_private(own: Own) -> None:
    state = own.installation.state
    folders = {path for path in state.iterdir() if path.is_dir()} | {own.installation.postgres.folder}
    assert {path.name for path in folders} >= {"secrets", "logs", "airflow", "kafka", "postgres", "spark", "checkpoints"}
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folders} == {path.name: "0o700" for path in folders}
    files = [*(state / "secrets").iterdir(), state / "airflow" / "ui_passwords.json", state / "ports.json"]
    assert state / "secrets" / "secrets.json" in files
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in files} == {path.name: "0o600" for path in files}
    # Others may pass the folder itself, as PostgreSQL's account has to, but not list it.
    assert oct(state.stat().st_mode & 0o777) == "0o711"


def test_secrets_are_long_random_and_of_one_installation_only(own: Own, installation: Installation) -> None:
    mine, theirs = list(own.secrets.values()), list(installation.secrets.values())
    assert own.secrets.keys() == installation.secrets.keys()
    assert len({*mine, *theirs}) == len(mine) + len(theirs)
    assert min(map(len, [*mine, *theirs])) >= 32
    # A password of 32 characters drawn from 64 repeats some of them, but never has only a few different ones.
    assert min(len(set(secret)) for secret in [*mine, *theirs]) >= 12
    assert json.loads((own.installation.state / "secrets" / "secrets.json").read_text()) == own.secrets


def test_up_again_starts_nothing_again(own: Own) -> None:
    daemons = own.daemons()
    own.installation.up()
    other = Installation(own.installation.state)
    other.up()
    assert None not in daemons
    assert own.daemons() == daemons
    assert (other.kafka.daemon.pid, other.postgres.daemon.pid) == daemons
    running = [(Path(f"/proc/{pid}") / "stat").read_text().rpartition(")")[2].split() for pid in daemons]
    assert all(fields[0] != "Z" for fields in running)
    # Whatever else works in these folders is a child of PostgreSQL.
    parents = {pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in own.processes()}
    assert parents.keys() >= set(daemons)
    assert {parent for pid, parent in parents.items() if pid not in daemons} == {daemons[1]}


def test_down_leaves_no_process_and_up_finds_the_data(own: Own) -> None:
    installation = own.installation
    with installation.postgres.connect() as connection:
        connection.execute("CREATE TABLE kept (text text)")
        connection.execute("INSERT INTO kept VALUES ('still here')")
    servers: dict[str, Any] = {**installation.kafka.client_settings, "log_level": 0}
    admin = AdminClient(servers)
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result()
    producer = Producer({**servers, "acks": "all"})
    producer.produce("kept", key=b"key", value=b"still here")
    assert producer.flush(30) == 0
    secrets, chosen = dict(installation.secrets), dict(installation.ports)
    before = own.daemons()
    assert own.processes() >= set(before)

    installation.down()
    assert own.processes() == set()
    assert own.daemons() == (None, None)
    assert not list(installation.state.glob("*.pid"))
    assert all(ports.is_free(chosen[name]) for name in ("kafka", "kafka_controller", "postgres"))

    installation.up()
    assert not set(own.daemons()) & {None, *before}
    assert (Installation(installation.state).secrets, installation.ports) == (secrets, chosen)
    with installation.postgres.connect() as connection:
        assert connection.execute("SELECT text FROM kept").fetchall() == [("still here",)]
    consumer = Consumer({**servers, "group.id": "kept", "enable.auto.commit": False})
    consumer.assign([TopicPartition("kept", 0, 0)])
    messages = consumer.consume(1, timeout=30)
    consumer.close()
    assert [(message.key(), message.value()) for message in messages] == [(b"key", b"still here")]


def test_down_twice_does_nothing_and_touches_no_other_installation(own: Own, installation: Installation) -> None:
    others = (installation.kafka.daemon.pid, installation.postgres.daemon.pid)
    empty = Installation(make_state())
    try:
        empty.down()
        empty.down()
        assert (installation.kafka.daemon.pid, installation.postgres.daemon.pid) == others
        assert None not in (*others, *own.daemons())
    finally:
        shutil.rmtree(empty.state)


@pytest.mark.parametrize("kind", ["of a dead process", "of somebody else's process"])
@pytest.mark.parametrize("name", ["postgres", "kafka"])
def test_a_stale_pid_file_is_not_taken_for_the_service(own: Own, name: str, kind: str) -> None:
    service: EmbeddedKafka | EmbeddedPostgres = getattr(own.installation, name)
    pid_file = own.installation.state / f"{name}.pid"
    before, started = pid_file.read_text().split()
    assert service.daemon.pid == int(before)
    service.stop()
    foreign: subprocess.Popen[Any] = subprocess.Popen(["sleep", "300"])
    try:
        if kind == "of a dead process":
            stale = f"{foreign.pid} {_start_time(foreign.pid)}\n"
            foreign.kill()
            foreign.wait()
        else:
            # The number of a service that crashed, given to another process since.
            stale = f"{foreign.pid} {started}\n"
        expected = foreign.poll()
        pid_file.write_text(stale)
        assert service.daemon.pid is None
        service.stop()
        assert not pid_file.exists()
        pid_file.write_text(stale)
        service.start()
        assert service.daemon.pid not in (None, foreign.pid, int(before))
        assert pid_file.read_text().split()[0] == str(service.daemon.pid)
        assert foreign.poll() == expected
    finally:
        foreign.kill()
        assert foreign.wait() == -signal.SIGKILL
        service.start()
    if name == "postgres":
        assert _data_directory(own.installation) == str(own.installation.postgres.data)
    else:
        assert _cluster_id(own.installation)


def test_two_commands_at_the_same_time_start_each_service_once(own: Own) -> None:
    own.installation.down()
    command = "import sys; from pathlib import Path; from batchstream.local.installation import Installation as I; "
    command += "I(Path(sys.argv[1])).up()"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", command, own.installation.state], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    # The services outlive the commands; a second one of either would be another process in its folder.
    kafka, postgres = own.daemons()
    parents = {pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in own.processes()}
    assert {pid for pid, parent in parents.items() if parent not in parents} == {kafka, postgres}
    assert _data_directory(own.installation) == str(own.installation.postgres.data)


def test_ports_that_others_took_while_it_was_down_are_left_to_them(own: Own) -> None:
    installation = own.installation
    cluster = _cluster_id(installation)
    installation.down()
    before = dict(installation.ports)
    services = ("kafka", "kafka_controller", "postgres")
    with taken(*(before[name] for name in services)):
        installation.up()
        after = installation.ports
        assert len({*(before[name] for name in services), *(after[name] for name in services)}) == 2 * len(services)
        assert min(after.values()) > 0
        assert {name: port for name, port in after.items() if name not in services} == {
            name: port for name, port in before.items() if name not in services
        }
        # The same services with the same data, elsewhere.
        assert _cluster_id(installation) == cluster
        assert _data_directory(installation) == str(installation.postgres.data)
    assert Installation(installation.state).ports == after
