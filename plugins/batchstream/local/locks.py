"""Locks between the commands of one installation; the system gives them back when a command ends, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batchstream.local.errors import ServiceError
from batchstream.local.progress import progress


@contextmanager
def only_one(path: Path, other: str = "another command", *, refused: str | None = None) -> Iterator[None]:
    """Be the only command in this block.

    Args:
        path: The file that is locked.
        other: Who may have the lock, for what is said while this waits.
        refused: Don't wait, but fail with this sentence.

    Raises:
        ServiceError: Another command is there, and this one is not to wait.
    """
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if refused:
                raise ServiceError(refused) from None
            with progress(f"waiting for {other}", quick=True):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
