"""A bar for a step that takes a while, and its seconds at the end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show that something is going on; where nobody watches, only a line at its end."""
    begun = time.monotonic()
    console = Console(highlight=False)
    if sys.stdout.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            bar.add_task(what, total=None)
            yield
    else:
        yield
    console.print(f"{what}: {time.monotonic() - begun:.1f} s")
