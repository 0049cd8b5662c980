"""Waits for what another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float, what: str, every_seconds: float = 0.2) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except (OSError, ValueError):
            pass
        time.sleep(every_seconds)
    raise AssertionError(f"not within {seconds} s: {what}")
