"""The embedded broker lets nobody in without the password: neither on its clients' port nor on its controller's."""

import json
import os
import shutil
import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from batchstream.contract.model import Topic
from batchstream.errors import ConnectionSettingsError
from batchstream.kafka import topics
from batchstream.kafka.topics import ensure_topic, identity
from batchstream.local import ports
from batchstream.local.broker_settings import OPERATOR
from batchstream.local.installation import Installation
from batchstream.local.kafka import EmbeddedKafka
from batchstream.local.secrets import NAMES, load_secrets
from tests.conftest import make_state
from tests.support.brokers import OpenBroker
from tests.support.contents import contents

SECONDS = 3
"""A client whose log-in is refused tries again until its request times out."""

DESCRIBE_CLUSTER = 60
"""Number of this request in Kafka's protocol."""


@pytest.fixture(scope="module")
def topic(installation: Installation) -> str:
    """One with a message, of somebody who has the password."""
    name = f"login-{os.urandom(4).hex()}"
    admin = AdminClient(dict(installation.kafka.client_settings))
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    producer = Producer(dict(installation.kafka.client_settings))
    producer.produce(name, b"[]")
    assert producer.flush(30) == 0
    return name


STRANGERS: dict[str, dict[str, str]] = {
    "no log-in": {"security.protocol": "PLAINTEXT"},
    "another password": {"sasl.password": "another"},
    "another user": {"sasl.username": "somebody"},
    "the broker's own account": {"sasl.mechanism": "PLAIN", "sasl.username": OPERATOR},
    "the password by another mechanism": {"sasl.mechanism": "PLAIN"},
    "an unknown mechanism": {"sasl.mechanism": "SCRAM-SHA-512"},
}


def attempts(stranger: dict[str, Any], topic: str) -> list[str]:
    """What a client succeeded in of all that it might want."""
    done = []
    admin = AdminClient(stranger)
    producer = Producer({**stranger, "message.timeout.ms": SECONDS * 1000})
    producer.produce(topic, b"forged", on_delivery=lambda error, _: None if error else done.append("write"))
    consumer = Consumer({**stranger, "group.id": "strangers"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    done += ["read" for message in consumer.consume(1, timeout=SECONDS) if message.error() is None]
    consumer.close()
    producer.flush(2 * SECONDS)
    wanted: dict[str, Callable[[], object]] = {
        "list": lambda: admin.list_topics(timeout=SECONDS),
        "make": lambda: admin.create_topics([NewTopic(f"{topic}-2", 1, 1)], request_timeout=SECONDS)[f"{topic}-2"].result(),
        "delete": lambda: admin.delete_topics([topic], request_timeout=SECONDS)[topic].result(),
    }
    for name, attempt in wanted.items():
        with suppress(KafkaException):
            attempt()
            done.append(name)
    return done


def test_without_the_password_nobody_lists_makes_reads_writes_or_deletes(installation: Installation, topic: str) -> None:
    friend: dict[str, Any] = {**installation.kafka.client_settings, "log_level": 0}
    strangers = [{**friend, **changes} for changes in STRANGERS.values()]
    strangers[0] = {name: value for name, value in strangers[0].items() if not name.startswith("sasl.")}
    with ThreadPoolExecutor(len(strangers)) as threads:
        found = list(threads.map(lambda stranger: attempts(stranger, topic), strangers))
    assert dict(zip(STRANGERS, found, strict=True)) == {name: [] for name in STRANGERS}
    # The attempts are ones that would succeed.
    assert sorted(attempts(friend, topic)) == ["delete", "list", "make", "read", "write"]


@pytest.mark.parametrize("login", ["none", "the clients'"])
def test_the_controller_lets_no_client_in(installation: Installation, login: str) -> None:
    address = {"bootstrap.servers": f"{ports.LOOPBACK}:{installation.ports['kafka_controller']}", "log_level": 0}
    settings = installation.kafka.client_settings if login != "none" else {}
    refusals: list[str] = []
    admin = AdminClient({**settings, **address, "error_cb": lambda error: refusals.append(error.str())})
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=SECONDS)
    admin.poll(0)
    if settings:
        assert any("SASL" in refusal for refusal in refusals), refusals


@pytest.mark.parametrize(("port", "endpoints"), [("kafka", 1), ("kafka_controller", 2)])
def test_who_has_not_logged_in_is_answered_nothing(installation: Installation, port: str, endpoints: int) -> None:
    """By Kafka's protocol itself, as no client of ours can ask a controller: which brokers, or controllers, are there."""
    request = struct.pack(">hhih4B", DESCRIBE_CLUSTER, 1, 7, -1, 0, 0, endpoints, 0)
    with socket.create_connection((ports.LOOPBACK, installation.ports[port]), timeout=10) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        assert connection.recv(4) == b""


def test_a_wrong_password_is_told_as_such(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "REQUEST_TIMEOUT_SECONDS", SECONDS)
    kafka: dict[str, Any] = {**installation.kafka.client_settings, "sasl.password": "not the secret", "log_level": 0}
    for ask in (ensure_topic, identity):
        with pytest.raises(
            ConnectionSettingsError, match=r"^Kafka at .* refused the log-in.*Mend the Kafka connection"
        ) as caught:
            ask(kafka, Topic("any", 1, 1, 7))
        assert "not the secret" not in str(caught.value)


class OlderKafka(OpenBroker):
    """The broker of a release that let everybody in."""

    def _let_in(self) -> None:
        self._operator_password.unlink()

    def _properties(self) -> str:
        lines = [
            line
            for line in super()._properties().splitlines()
            if "sasl" not in line and not line.startswith(("listener.", "inter."))
        ]
        return "\n".join(lines).replace("CLIENTS", "PLAINTEXT")


@pytest.fixture
def state() -> Iterator[Path]:
    found = make_state()
    (found / "logs").mkdir()
    yield found
    shutil.rmtree(found)


def test_a_broker_of_an_older_release_keeps_its_messages_and_asks_for_the_password(
    installation: Installation, state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chosen = (ports.any_free(), ports.any_free())
    older = OlderKafka(state, installation.jars, *chosen, "")
    newer = EmbeddedKafka(state, installation.jars, *chosen, "the password")
    try:
        older.start()
        admin = AdminClient({**older.client_settings, "log_level": 0})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result()
        # It still runs.
        newer.start()
        anybody = AdminClient({**older.client_settings, "log_level": 0})
        with pytest.raises(KafkaException):
            anybody.list_topics(timeout=SECONDS)
        assert "kept" in AdminClient({**newer.client_settings, "log_level": 0}).list_topics(timeout=10).topics
        # Started again, by whoever doesn't know that it was interrupted before it told the password.
        again = EmbeddedKafka(state, installation.jars, *chosen, "another password")
        again.start()
        # Nothing of librdkafka's through the bar of a command that starts it.
        assert capfd.readouterr().err == ""
        assert "kept" in AdminClient(dict(again.client_settings)).list_topics(timeout=10).topics
    finally:
        newer.kill()


def test_what_the_broker_reads_is_private_and_has_no_password_of_clients(installation: Installation) -> None:
    password = installation.secrets["kafka"].encode()
    for name in ("server.properties", "operator.password"):
        path = installation.kafka.folder / name
        assert path.stat().st_mode & 0o777 == 0o600
    files = dict(contents(installation.kafka.folder))
    assert len(files) > 10
    assert [path for path, content in files.items() if password in content] == []


def test_secrets_of_an_older_release_are_completed_and_stay(state: Path) -> None:
    folder = state / "secrets"
    older = load_secrets(folder)
    older.pop("kafka")
    (folder / "secrets.json").write_text(json.dumps(older))
    found = load_secrets(folder)
    assert found.keys() == set(NAMES)
    assert older.items() <= found.items()
    assert load_secrets(folder) == found
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
