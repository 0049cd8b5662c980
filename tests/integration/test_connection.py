"""A connection to PostgreSQL: one that is cut while it is made may be mended by a retry, and a statement waits only so long."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from batchstream.errors import SinkError
from batchstream.local import ports
from batchstream.postgres import names
from batchstream.postgres.connection import connect
from tests.support.pipeline import Pipeline

REPLIES_OF_A_LOG_IN = 4
"""The least: the ways to log in; SCRAM's challenge; its proof; the first statement's end."""


@contextmanager
def cut_after(replies: int, server_port: int, tls: ssl.SSLContext | None) -> Iterator[int]:
    """Forward connections to the server, and cut each after so many replies; gives the port to connect to.

    The server of the tests is built without TLS, so it is spoken here, as by a proxy in front of it.
    """
    listener = socket.create_server((ports.LOOPBACK, 0))

    def forward(client: socket.socket) -> None:
        with client, socket.create_connection((ports.LOOPBACK, server_port)) as server, suppress(OSError):
            if tls is not None:
                client.recv(65536)
                client.sendall(b"S")
                client = tls.wrap_socket(client, server_side=True)
            for _ in range(replies):
                server.sendall(client.recv(65536))
                client.sendall(server.recv(65536))
            client.recv(65536)
            client.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=forward, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", folder / "key", "-out", folder / "crt"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    return context


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_cut_at_any_moment(pipeline: Pipeline, tls: ssl.SSLContext, sslmode: str) -> None:
    settings = replace(pipeline.settings(names.LOADER), options={"sslmode": sslmode})
    told: list[str] = []
    for replies in range(50):
        with cut_after(replies, settings.port, tls if sslmode == "require" else None) as port:
            try:
                connection = connect(replace(settings, port=port), application_name="test")
            except SinkError as error:
                told.append(str(error))
                continue
            connection.close()
            break
    assert len(told) >= REPLIES_OF_A_LOG_IN
    assert all(f"connection '{settings.connection_id}'" in text and "can't be reached" in text for text in told)


ODD_SETTINGS = {
    "lock_timeout": "1h",
    "datestyle": "German",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Tokyo",
    "search_path": "pg_catalog",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
    "synchronous_commit": "off",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "restrict_nonsystem_relation_kind": "view",
    "statement_timeout": "1h",
    "transaction_timeout": "1h",
    "idle_in_transaction_session_timeout": "1h",
    "idle_session_timeout": "1h",
}


def test_a_session_has_our_settings_whatever_a_role_has(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    def settings() -> dict[str, str]:
        with pipeline.connect() as connection:
            rows = connection.execute(
                "SELECT lower(name), setting FROM pg_settings WHERE lower(name) = ANY (%s)", [[*ODD_SETTINGS]]
            )
            return dict(rows.fetchall())

    ours = settings()
    assert len(ours) == len(ODD_SETTINGS)
    try:
        for name, value in ODD_SETTINGS.items():
            admin.execute(f"ALTER ROLE {names.LOADER} SET {name} = '{value}'")
        assert settings() == ours
    finally:
        for name in ODD_SETTINGS:
            admin.execute(f"ALTER ROLE {names.LOADER} RESET {name}")


def test_statements_wait_for_a_lock_only_so_long(pipeline: Pipeline) -> None:
    with pipeline.connect() as connection:
        assert connection.execute("SHOW lock_timeout").fetchone() == ("10s",)
        assert connection.execute("SELECT current_setting('application_name')").fetchone() == ("batchstream tests",)
