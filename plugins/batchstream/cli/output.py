"""What several commands print or ask."""

import sys

from batchstream.local.chosen_ports import PREFERRED_PORTS
from batchstream.local.console import say
from batchstream.local.installation import Installation


def ask(question: str) -> bool | None:
    """The answer of a person to a question; None if nobody is there to answer."""
    if not sys.stdin.isatty():
        return None
    say(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def describe(installation: Installation) -> list[str]:
    """Where the services are, which of them didn't get their usual port, and whose connections are used instead."""
    taken = installation.taken_ports()
    own = [f"connection {name} is your own, of {where}" for name, where in installation.connections().own.items()]
    return own + [
        f"{label} on 127.0.0.1:{installation.ports[name]}"
        + (f" (the usual port {PREFERRED_PORTS[name]} was taken by another program)" if name in taken else "")
        for name, label in (("kafka", "Kafka"), ("postgres", "PostgreSQL"))
    ]
