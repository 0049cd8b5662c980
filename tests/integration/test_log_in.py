"""Who gets into PostgreSQL, and what somebody is told who does not."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace as replace_settings

from batchstream.errors import BatchstreamError, ConnectionSettingsError, SinkError
from batchstream.local import ports
from batchstream.local.installation import Installation
from batchstream.postgres import names
from batchstream.postgres.connection import PostgresSettings, connect
from tests.support.pipeline import Pipeline


@contextmanager
def _closed_port() -> Iterator[int]:
    """A port that is bound, so that nobody else gets it, but on which nobody listens."""
    with socket.socket() as bound:
        bound.bind((ports.LOOPBACK, 0))
        yield bound.getsockname()[1]


def test_passwords_are_kept_as_scram_verifiers(installation: Installation, admin: psycopg.Connection) -> None:
    hashes = dict(admin.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin").fetchall())
    assert hashes.keys() == {*names.LOGINS, names.SUPERUSER}
    for role, verifier in hashes.items():
        assert verifier.startswith("SCRAM-SHA-256$"), role
        assert installation.secrets[role] not in verifier
    methods = admin.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert methods == [("scram-sha-256",)]


@pytest.mark.parametrize("password", [None, "", "wrong", "correct, of another role"])
@pytest.mark.parametrize("role", [*names.LOGINS, names.SUPERUSER])
def test_nobody_gets_in_without_the_password(
    installation: Installation, role: str, password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPASSWORD", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    if password == "correct, of another role":
        password = installation.secrets["airflow" if role != "airflow" else "postgres"]
    where: dict[str, Any] = {
        "host": ports.LOOPBACK,
        "port": installation.ports["postgres"],
        "user": role,
        "dbname": names.AIRFLOW if role == names.AIRFLOW else names.DATABASE,
    }
    with pytest.raises(psycopg.OperationalError, match=r"no password supplied|password authentication failed"):
        psycopg.connect(**where, password=password, passfile="/nonexistent", connect_timeout=10)
    # With its own it does get in, so the refusal is the password's.
    with psycopg.connect(**where, password=installation.secrets[role], connect_timeout=10) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (role,)


@pytest.mark.parametrize("role", [names.OWNER, names.LOADER, names.READER])
def test_airflows_database_is_closed_to_the_datas_roles(pipeline: Pipeline, role: str) -> None:
    settings = replace_settings(pipeline.settings(role), dbname=names.AIRFLOW)
    with pytest.raises(ConnectionSettingsError, match=r'permission denied for database "airflow"'):
        connect(settings, application_name="test")


def test_the_datas_database_is_closed_to_airflows_role(pipeline: Pipeline) -> None:
    with pytest.raises(ConnectionSettingsError, match=r'permission denied for database "kafka_streaming"'):
        pipeline.connect(names.AIRFLOW)


WRONG: dict[str, Callable[[PostgresSettings], PostgresSettings]] = {
    "password": lambda right: replace_settings(right, password="a-wrong-password-1234"),
    "no password": lambda right: replace_settings(right, password=""),
    "role": lambda right: replace_settings(right, user="nobody_we_know"),
    "database": lambda right: replace_settings(right, dbname="no_such_database"),
    "forbidden database": lambda right: replace_settings(right, dbname=names.AIRFLOW),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_refused_log_in_names_the_connection_and_what_to_mend(pipeline: Pipeline, wrong: str) -> None:
    settings = WRONG[wrong](pipeline.settings(names.LOADER))
    with pytest.raises(ConnectionSettingsError) as refused:
        connect(settings, application_name="test")
    message = str(refused.value)
    where = f"{settings.user}@127.0.0.1:{settings.port}/{settings.dbname}"
    assert message.startswith(f"connection 'test_kafka_user' ({where}): PostgreSQL refused the log-in: ")
    assert message.endswith("Mend user, password or database of this connection.")
    _shows_no_password(refused.value, settings)


def test_a_refused_connection_names_the_connection_and_what_to_mend(pipeline: Pipeline) -> None:
    with _closed_port() as port:
        settings = replace_settings(pipeline.settings(names.LOADER), port=port)
        with pytest.raises(SinkError) as refused:
            connect(settings, application_name="test")
    message = str(refused.value)
    assert message.startswith(f"connection 'test_kafka_user' (kafka_user@127.0.0.1:{port}/kafka_streaming): ")
    assert "can't be reached" in message
    assert message.endswith("Start it, or mend host and port.")
    _shows_no_password(refused.value, settings)


def _shows_no_password(error: BatchstreamError, settings: PostgresSettings) -> None:
    shown = [str(error), repr(error), repr(settings), str(settings), str(error.__cause__)]
    assert error.__suppress_context__
    assert not settings.password or not any(settings.password in text for text in shown)
