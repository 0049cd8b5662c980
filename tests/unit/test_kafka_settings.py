"""One Airflow connection for librdkafka and for Java: every setting that decides about security is translated or refused."""

import pytest

from batchstream.errors import ConnectionSettingsError
from batchstream.kafka.java_settings import java_settings
from batchstream.load.engines import Engines
from batchstream.postgres.connection import PostgresSettings
from batchstream.records.messages import Signer
from batchstream.spark.job import Job

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


def test_a_plain_connection_is_its_address_and_nothing_of_the_producer() -> None:
    assert java_settings(
        {"bootstrap.servers": "k:9092", "acks": "all", "enable.idempotence": True, "socket.connection.setup.timeout.ms": 5000}
    ) == {"bootstrap.servers": "k:9092"}


def test_sasl_over_tls_with_a_certificate_is_translated_whole() -> None:
    found = java_settings(
        {
            "bootstrap.servers": "k:9092",
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "me",
            "sasl.password": "secret",
            "ssl.ca.location": "/ca.crt",
            "ssl.certificate.location": "/client.pem",
            "ssl.key.location": "/client.pem",
            "ssl.key.password": "key",
            "ssl.endpoint.identification.algorithm": "none",
        }
    )
    assert found == {
        "bootstrap.servers": "k:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": f'{PLAIN} required username="me" password="secret";',
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/ca.crt",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": "/client.pem",
        "ssl.key.password": "key",
        "ssl.endpoint.identification.algorithm": "",
    }


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_scram_takes_its_own_module_also_by_librdkafkas_other_name(mechanism: str) -> None:
    given = {"bootstrap.servers": "k", "sasl.mechanisms": mechanism, "sasl.username": "me", "sasl.password": "x"}
    found = java_settings(given)
    assert found["sasl.mechanism"] == mechanism
    assert found["sasl.jaas.config"].startswith(f"{SCRAM} required ")


def test_a_password_can_not_end_its_quotes() -> None:
    given = {"bootstrap.servers": "k", "sasl.mechanism": "PLAIN", "sasl.username": "me", "sasl.password": 'a"; x=\\"'}
    assert java_settings(given)["sasl.jaas.config"] == rf'{PLAIN} required username="me" password="a\"; x=\\\"";'


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sasl.mechanism": "PLAIN", "sasl.username": "me"}, "PLAIN needs sasl.username and sasl.password"),
        ({"sasl.mechanism": "OAUTHBEARER"}, "OAUTHBEARER is not supported; use one of PLAIN"),
        ({"ssl.certificate.location": "/a.crt", "ssl.key.location": "/a.key"}, "got /a.crt and /a.key"),
        ({"ssl.key.location": "/a.key"}, "got None and /a.key"),
        ({"ssl.keystore.location": "/a.p12"}, "ssl.keystore.location can't be translated"),
        ({"enable.ssl.certificate.verification": False}, "enable.ssl.certificate.verification can't be translated"),
    ],
)
def test_what_java_has_in_another_form_is_refused_by_name(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConnectionSettingsError, match=message):
        java_settings({"bootstrap.servers": "k", **settings})


def test_a_job_in_a_message_shows_no_password() -> None:
    postgres = PostgresSettings("test", "localhost", 5432, "me", "first secret", "any")
    job = Job(7, "checkpoints", {"bootstrap.servers": "k:9092", "sasl.password": "second secret"}, postgres)
    assert "load_id=7" in repr(job)
    assert "secret" not in repr(job)
    shown = repr([Engines(job.kafka, postgres, postgres), Signer(7, 1, b"third secret" + bytes(20))])
    assert "load_id=7, attempt=1" in shown
    assert " secret" not in shown
