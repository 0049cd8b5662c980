"""What the commands print: short lines for people, errors to standard error."""

from rich.console import Console

from batchstream.services.installation import PREFERRED_PORTS, Installation

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def console() -> Console:
    """Where tables go."""
    return _out


def say(line: str) -> None:
    """Print a line."""
    _out.print(line, markup=False)


def complain(line: str) -> None:
    """Print an error."""
    _err.print(f"error: {line}", style="red", markup=False)


def describe(installation: Installation) -> list[str]:
    """Where the services are, and which of them didn't get their usual port."""
    taken = installation.taken_ports()
    return [
        f"{label} on 127.0.0.1:{installation.ports[name]}"
        + (f" (the usual port {PREFERRED_PORTS[name]} was taken by another program)" if name in taken else "")
        for name, label in (("kafka", "Kafka"), ("postgres", "PostgreSQL"))
    ]
