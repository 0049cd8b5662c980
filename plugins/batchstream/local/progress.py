"""Shows that a step is going on, and its seconds at the end."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from batchstream.local.console import out

SAID_AFTER_SECONDS = 2
"""Where nobody can see a bar move, a step that takes longer says that it has begun."""


@contextmanager
def moving(what: str) -> Iterator[None]:
    """Show that something is going on: a bar in a terminal, elsewhere a line after `SAID_AFTER_SECONDS`."""
    if sys.stdout.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=out, transient=True) as bar:
            bar.add_task(what, total=None)
            yield
    else:
        ended = threading.Event()
        threading.Thread(target=_say_later, args=(what, ended), daemon=True).start()
        try:
            yield
        finally:
            ended.set()


@contextmanager
def progress(what: str, *, quick: bool = False) -> Iterator[None]:
    """`moving`, and the seconds at the end.

    Args:
        what: What is going on.
        quick: It often takes no time, and then nothing is said.
    """
    begun = time.monotonic()
    with moving(what):
        yield
    seconds = time.monotonic() - begun
    if not quick or seconds > SAID_AFTER_SECONDS:
        out.print(f"{what}: {seconds:.1f} s", markup=False)


def _say_later(what: str, ended: threading.Event) -> None:
    if not ended.wait(SAID_AFTER_SECONDS):
        out.print(f"{what} …", markup=False)
