"""Runs a command and says what it printed when it fails."""

import os
import subprocess
from collections.abc import Mapping


class CommandError(Exception):
    """A command ended with another status than 0."""


def run(
    *command: str | os.PathLike[str], env: Mapping[str, str] | None = None, timeout_seconds: int = 600, given: str | None = None
) -> str:
    """Run a command to its end; returns what it printed.

    Args:
        command: Program and arguments.
        env: Added to this process's environment.
        timeout_seconds: After this it is killed.
        given: Its standard input.

    Raises:
        CommandError: It failed; with its output.
    """
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        input=given or "",
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_seconds,
    )
    if done.returncode:
        words = " ".join(str(word) for word in command)
        raise CommandError(f"{words}\nended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return done.stdout
