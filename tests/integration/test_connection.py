"""A connection to PostgreSQL that is cut while it is made: always something that a retry may mend, never a wrong password."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from msgspec.structs import replace

from batchstream.errors import SinkError
from batchstream.postgres import setup
from batchstream.postgres.connection import connect
from batchstream.services import ports
from tests.support.pipeline import Pipeline

REPLIES_OF_A_LOG_IN = 5
"""No TLS; the ways to log in; SCRAM's challenge; SCRAM's proof with the session's settings; the first statement's end."""


@contextmanager
def cut_after(replies: int, server_port: int) -> Iterator[int]:
    """Forward connections to the server, and cut each after so many replies; gives the port to connect to."""
    listener = socket.create_server((ports.LOOPBACK, 0))

    def forward(client: socket.socket) -> None:
        with client, socket.create_connection((ports.LOOPBACK, server_port)) as server, suppress(OSError):
            for _ in range(replies):
                server.sendall(client.recv(65536))
                client.sendall(server.recv(65536))
            client.recv(65536)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=forward, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@pytest.mark.parametrize("replies", range(REPLIES_OF_A_LOG_IN))
def test_cut_at_any_moment(pipeline: Pipeline, replies: int) -> None:
    settings = pipeline.settings(setup.LOADER)
    with cut_after(replies, settings.port) as port, pytest.raises(SinkError, match="can't be reached") as caught:
        connect(replace(settings, port=port), application_name="test")
    assert f"connection '{settings.connection_id}'" in str(caught.value)


def test_not_cut(pipeline: Pipeline) -> None:
    """The forwarding itself is no reason to fail."""
    settings = pipeline.settings(setup.LOADER)
    with cut_after(100, settings.port) as port, connect(replace(settings, port=port), application_name="test") as connection:
        assert connection.execute("SHOW lock_timeout").fetchone() == ("10s",)
