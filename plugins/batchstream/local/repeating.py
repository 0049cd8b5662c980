"""Work in a thread beside a block."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(work: Callable[[], None], pause_seconds: float) -> Iterator[None]:
    """Do some work at once, and again after each pause, until the block ends. Work that has begun is waited for."""
    end = threading.Event()

    def repeat() -> None:
        while True:
            work()
            if end.wait(pause_seconds):
                return

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
