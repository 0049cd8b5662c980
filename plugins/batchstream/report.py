"""What tasks report of their failures to the command that runs them, also before a load is opened: a line of JSON each."""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec

REPORT_VARIABLE = "BATCHSTREAM_REPORT"
"""Environment variable that names the file; without it nobody listens."""


class Failure(NamedTuple):
    """A try that failed.

    Attributes:
        task_id: The task.
        reason: Why, in one sentence or more.
        final: Whether there is no further try.
    """

    task_id: str
    reason: str
    final: bool


def report(failure: Failure) -> None:
    """Report a failure to whoever listens."""
    path = os.environ.get(REPORT_VARIABLE)
    if path:
        with Path(path).open("ab") as file:
            file.write(msgspec.json.encode(failure._asdict()) + b"\n")


def reported(path: Path) -> list[Failure]:
    """What was reported, in order; a last line that was not written whole is left out."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [Failure(**msgspec.json.decode(line)) for line in lines]
