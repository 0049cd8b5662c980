"""The terminal: one console for what is said, and one for errors."""

import os

from rich.console import Console


def _console(*, stderr: bool) -> Console:
    # With NO_COLOR rich still sends bold and italics.
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(stderr=stderr, highlight=False, soft_wrap=True, color_system=None if plain else "auto")


out = _console(stderr=False)
err = _console(stderr=True)


def say(line: str) -> None:
    """Print a line."""
    out.print(line, markup=False)


def complain(line: str) -> None:
    """Print an error."""
    err.print(f"error: {line}", style="red", markup=False)
