"""docker-compose.secure.yaml: the pipeline is green over TLS, and who lacks a certificate or the password is refused."""

import logging
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.compose.airflow_api import AirflowApi
from tests.compose.confinement import assert_confined
from tests.compose.conftest import running
from tests.compose.pgadmin import PgAdmin
from tests.compose.stack import ADDRESS, Stack
from tests.compose.watch import EXPECTED

REFUSAL_SECONDS = 20


@pytest.fixture(scope="module")
def stack(engine: Mapping[str, str], images: dict[str, bool]) -> Iterator[Stack]:
    yield from running(engine, "docker-compose.secure.yaml")


@pytest.fixture
def certificate(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """libpq's options of a client that has a certificate."""
    tls = stack.folder / "secrets" / "tls"
    key = tmp_path / "client.key"
    # libpq wants a private key private.
    shutil.copy(tls / "client.key", key)
    key.chmod(0o600)
    return {"sslcert": str(tls / "client.crt"), "sslkey": str(key)}


@pytest.fixture
def trust(stack: Stack) -> dict[str, str]:
    """libpq's options that check the server: its certificate names localhost, at whatever address the test publishes it."""
    authority = str(stack.folder / "secrets" / "tls" / "ca.crt")
    return {"sslmode": "verify-full", "sslrootcert": authority, "host": "localhost", "hostaddr": ADDRESS}


@pytest.fixture
def kafka(stack: Stack) -> dict[str, str]:
    """librdkafka's settings of a client that has everything."""
    tls = stack.folder / "secrets" / "tls"
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "batchstream",
        "sasl.password": stack.secret("kafka_password"),
        "ssl.ca.location": str(tls / "ca.crt"),
        "ssl.certificate.location": str(tls / "client.pem"),
        "ssl.key.location": str(tls / "client.pem"),
        # The test's own address is not in the certificate; the pipeline inside checks the name.
        "ssl.endpoint.identification.algorithm": "none",
    }


@pytest.fixture(scope="module", autouse=True)
def published(stack: Stack, airflow: AirflowApi) -> None:
    """The pipeline is green."""
    run_id = airflow.trigger()
    assert airflow.wait_for_run(run_id) == "success", airflow.tasks(run_id)


def test_a_client_with_certificate_and_password_sees_the_load(
    stack: Stack, trust: dict[str, str], certificate: dict[str, str], kafka: dict[str, str]
) -> None:
    with stack.connect(**trust, **certificate) as connection:
        query = "SELECT count(*), round(avg(medv)::numeric, 6)::text FROM housing"
        assert connection.execute(query).fetchone() == EXPECTED
    assert stack.messages("housing-data", kafka) > 0


def test_containers_can_do_no_more_than_they_need(stack: Stack, engine: dict[str, str]) -> None:
    assert_confined(stack, engine)


def test_pgadmin_opens_the_server_with_its_certificate(stack: Stack) -> None:
    browser = PgAdmin(ADDRESS)
    assert browser.log_in(stack.setting("PGADMIN_EMAIL"), stack.secret("pgadmin_password"))
    (server,) = browser.servers()
    assert browser.connect(str(server["_id"]))["connected"] is True


def test_postgres_refuses_a_client_without_certificate(stack: Stack, trust: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        stack.connect(**trust, sslcert="", sslkey="")


def test_postgres_refuses_a_wrong_password(stack: Stack, trust: dict[str, str], certificate: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        stack.connect(**trust, **certificate, password="another")


def test_postgres_refuses_a_client_without_tls(stack: Stack) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        stack.connect(sslmode="disable")


class Said(logging.Handler):
    """What Kafka's library logs."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.add(record.getMessage())


def assert_kafka_refuses(settings: Mapping[str, str], reason: str) -> None:
    """A client gets no message, and its library says why; that it can't reach the broker would be no refusal."""
    said = Said()
    logger = logging.Logger("kafka", logging.DEBUG)
    logger.addHandler(said)
    consumer = Consumer(
        {
            "bootstrap.servers": f"{ADDRESS}:9092",
            "group.id": "batchstream-test",
            **settings,
            "error_cb": lambda error: said.texts.add(error.str()),
        },
        logger=logger,
    )
    try:
        consumer.assign([TopicPartition("housing-data", 0, 0)])

        deadline = time.monotonic() + REFUSAL_SECONDS
        while not any(reason in text for text in said.texts):
            assert consumer.poll(0.2) is None
            assert time.monotonic() < deadline, said.texts
    finally:
        consumer.close()


def test_kafka_refuses_a_client_without_certificate(kafka: dict[str, str]) -> None:
    del kafka["ssl.certificate.location"], kafka["ssl.key.location"]
    assert_kafka_refuses(kafka, "alert certificate required")


def test_kafka_refuses_a_wrong_password(kafka: dict[str, str]) -> None:
    assert_kafka_refuses({**kafka, "sasl.password": "another"}, "Invalid username or password")


def test_kafka_refuses_a_client_without_tls() -> None:
    assert_kafka_refuses({}, "connection closed by peer")
