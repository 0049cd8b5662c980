"""The connections of deploy/managed: each client that gets them takes every setting."""

import json
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo

from batchstream.airflow.connections import KAFKA, POSTGRES, kafka_settings, postgres_settings
from batchstream.kafka.java_settings import java_settings
from batchstream.paths import ROOT

FOLDER = ROOT / "deploy" / "managed"


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, file in ((KAFKA, "kafka-connection.json"), (POSTGRES, "postgres-connection.json")):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", (FOLDER / file).read_text())


def kafka() -> dict[str, Any]:
    """With the authorities of this machine in place of a file that isn't here."""
    return {**kafka_settings(), "ssl.ca.location": "probe"}


def test_the_producer_takes_the_kafka_connection() -> None:
    Producer(kafka())


def test_it_would_not_take_a_misspelt_setting_or_another_mechanism() -> None:
    for wrong in ({"ssl.ca.locations": "/ca.pem"}, {"sasl.mechanism": "SCRAM-SHA-1024"}):
        with pytest.raises(KafkaException):
            Producer({**kafka(), **wrong})


def test_spark_gets_it_with_tls_and_password() -> None:
    translated = java_settings(kafka_settings())
    assert translated["security.protocol"] == "SASL_SSL"
    assert translated["ssl.truststore.location"] == "/etc/ssl/kafka-ca.pem"
    assert translated["sasl.jaas.config"].startswith("org.apache.kafka.common.security.scram.ScramLoginModule required")


def test_postgres_is_asked_for_its_certificate() -> None:
    settings = postgres_settings(POSTGRES)
    assert settings.options == {"sslmode": "verify-full", "sslrootcert": "/etc/ssl/postgres-ca.pem"}
    assert "sslmode=verify-full" in make_conninfo(host=settings.host, **settings.options)
    with pytest.raises(ProgrammingError):
        make_conninfo(host=settings.host, sslroot="/ca.pem")


def test_every_setting_of_the_extra_is_used() -> None:
    extra = json.loads((FOLDER / "postgres-connection.json").read_text())["extra"]
    assert set(postgres_settings(POSTGRES).options) == set(extra)
