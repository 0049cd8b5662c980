"""Daemons that outlive the command which started them, found again by process id and start time."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batchstream.local.accounts import Account
from batchstream.local.errors import ServiceError

STOP_SECONDS = 30
TAIL_LINES = 15

# Children of this command that were not reaped yet, by pid file; a daemon may outlive the object that started it.
_children: dict[Path, subprocess.Popen[bytes]] = {}


class Daemon:
    """One process in a session of its own, with a pid file and a log file."""

    def __init__(self, name: str, pid_file: Path, log_file: Path) -> None:
        self.name = name
        self._pid_file = pid_file
        self.log_file = log_file

    def start(
        self, command: Sequence[str | Path], environment: Mapping[str, str], *, account: Account | None = None, cwd: Path
    ) -> None:
        """Start the process; its output goes to the log file."""
        self._reap()
        with self.log_file.open("ab") as log:
            child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,
                **as_account(account),
            )
        _children[self._pid_file] = child
        self._pid_file.write_text(f"{child.pid} {start_time(child.pid)}\n")

    @property
    def pid(self) -> int | None:
        """Process id, if the process that was started is still there; another one with its number doesn't count."""
        try:
            number, started = self._pid_file.read_text().split()
            pid = int(number)
        except (FileNotFoundError, ValueError):
            return None
        return pid if start_time(pid) == started else None

    @property
    def crashed(self) -> bool:
        """Whether the process has ended although nobody stopped it here."""
        return self._pid_file.exists() and self.pid is None

    def stop(self, first: signal.Signals = signal.SIGTERM) -> None:
        """Stop the process and wait for its end, by force after `STOP_SECONDS`."""
        for number in (first, signal.SIGKILL):
            pid = self.pid
            if pid is None:
                break
            os.kill(pid, number)
            self._wait_for_end()
        self._reap()
        self._pid_file.unlink(missing_ok=True)

    def _wait_for_end(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and self.pid is not None:
            time.sleep(0.02)

    def _reap(self) -> None:
        """Collect our own child's exit status; another command's child is reaped by its own parent."""
        child = _children.pop(self._pid_file, None)
        if child is not None and child.poll() is None:
            # Somebody removed the pid file, so no signal was sent.
            child.kill()
            child.wait()

    def tail(self) -> str:
        """The last lines of the log."""
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])

    def failed(self, what: str) -> ServiceError:
        """An error with the end of the log."""
        return ServiceError(f"{self.name} {what}; see {self.log_file}:\n{self.tail()}")


def as_account(account: Account | None) -> dict[str, Any]:
    """Arguments of ``subprocess`` that start a process under an account; none for one's own."""
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot (proc(5), field 22); None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The state is the first field after the name; a zombie has ended.
    return None if fields[0] == "Z" else fields[19]
