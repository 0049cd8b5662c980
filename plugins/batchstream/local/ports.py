"""Ports on the loopback interface."""

import socket

LOOPBACK = "127.0.0.1"


def loopback() -> str:
    """Name of this machine for Airflow's components, which ask each other for logs."""
    return LOOPBACK


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of any interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """A free port of the kernel's choice."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def choose(preferred: int) -> int:
    """The preferred port, or a free one if it is taken."""
    return preferred if is_free(preferred) else any_free()


def is_open(port: int) -> bool:
    """Whether somebody accepts connections on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
