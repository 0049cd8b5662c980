"""Processes that were started in sessions of their own, with all that they started: found again also by another command."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from batchstream.local.processes import start_time
from batchstream.local.secrets import write_private

STOP_SECONDS = 15
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def note(path: Path, leaders: Mapping[str, int]) -> None:
    """Note the sessions that run, by the process that leads each of them."""
    known = {name: [pid, start_time(pid)] for name, pid in leaders.items()}
    write_private(path, json.dumps({"boot": BOOT_ID.read_text(), "sessions": known}))


def noted(path: Path) -> list[int]:
    """Sessions that were noted and that may still have processes."""
    if not path.exists():
        return []
    found = json.loads(path.read_text())
    if found["boot"] != BOOT_ID.read_text():
        return []
    # While a process is in a session, its number is given to no other process; if it was, the session is gone.
    return [pid for pid, began in found["sessions"].values() if start_time(pid) in (None, began)]


def members(sessions: Iterable[int]) -> list[int]:
    """Processes of some sessions, also those whose parents have ended."""
    wanted, found = set(sessions), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(int(entry.name)) in wanted and start_time(int(entry.name)) is not None:
                    found.append(int(entry.name))
    return found


def stop(sessions: Iterable[int], *, reap: Callable[[], object] = lambda: None) -> None:
    """Ask the leaders to end, and after `STOP_SECONDS` end whatever is left by force.

    Args:
        sessions: Numbers of their leaders.
        reap: Collects the exit status of leaders that are children of this process.
    """
    sessions = list(sessions)
    living = members(sessions)
    # One whose leader was killed has nobody else to ask.
    led = [pid for pid in living if pid in sessions]
    for pid in led or living:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while members(sessions) and time.monotonic() < deadline:
        reap()
        time.sleep(0.1)
    # Until none is left: a process that is killed takes its moment to go, and may have just started another one.
    deadline = time.monotonic() + STOP_SECONDS
    while (remaining := members(sessions)) and time.monotonic() < deadline:
        for pid in remaining:
            _signal(pid, signal.SIGKILL)
        reap()
        time.sleep(0.05)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
