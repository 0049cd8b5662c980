"""``make ui``: Airflow's components under supervision; Ctrl-C stops all of them."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from batchstream.cli.output import complain, describe, say
from batchstream.services import ports
from batchstream.services.environment import UI_USER
from batchstream.services.errors import ServiceError
from batchstream.services.installation import Installation

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
PORTS = ("airflow", "airflow_logs", "airflow_trigger_logs")
READY_SECONDS = 120
STOP_SECONDS = 15


def serve(installation: Installation) -> int:
    """Start the components, say how to log in, and wait for Ctrl-C or for one of them to end."""
    installation.up()
    with _only_once(installation):
        installation.move_from_taken_ports(PORTS)
        supervisor = Supervisor(installation)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, supervisor.request_stop)
        try:
            supervisor.start()
            for line in describe(installation):
                say(line)
            say(f"Airflow on http://127.0.0.1:{installation.ports['airflow']}")
            say(f"log in as '{UI_USER}' with the password in {installation.state / 'airflow' / 'ui_passwords.json'}")
            say(f"logs in {installation.state / 'logs'}; Ctrl-C stops Airflow")
            return supervisor.wait()
        finally:
            supervisor.stop()
            say("Airflow is stopped; make down stops Kafka and PostgreSQL")


@contextmanager
def _only_once(installation: Installation) -> Iterator[None]:
    """One scheduler a clone: a second one would fight over its ports."""
    with (installation.state / "ui.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError("make ui runs in this clone already; use that one, or end it with Ctrl-C") from None
        yield


class Supervisor:
    """Airflow's components as children, each in a session of its own so that none of its children is left behind."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stop_requested = False

    def request_stop(self, _number: int, _frame: FrameType | None) -> None:
        """Signal handler."""
        self._stop_requested = True

    def start(self) -> None:
        """Start every component and wait until the web interface answers.

        Raises:
            ServiceError: A component ended, or nothing answered in time.
        """
        environment = self._installation.environment()
        port = self._installation.ports["airflow"]
        for name in COMPONENTS:
            with (self._installation.state / "logs" / f"airflow-{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    ["airflow", name],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        deadline = time.monotonic() + READY_SECONDS
        while not ports.is_open(port):
            if self._stop_requested:
                return
            if (ended := self._ended()) or time.monotonic() > deadline:
                raise ServiceError(f"Airflow did not start: {ended or 'no answer'}; see {self._installation.state / 'logs'}")
            time.sleep(0.1)

    def wait(self) -> int:
        """Wait until somebody asks to stop; 1 if a component ended by itself."""
        while not self._stop_requested:
            if ended := self._ended():
                complain(f"airflow {ended} ended; see {self._installation.state / 'logs'}/airflow-{ended}.log")
                return 1
            time.sleep(0.5)
        return 0

    def stop(self) -> None:
        """Stop every component and whatever it started, by force after `STOP_SECONDS`."""
        sessions = [process.pid for process in self._processes.values()]
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while _members(sessions) and time.monotonic() < deadline:
            for process in self._processes.values():
                process.poll()
            time.sleep(0.1)
        # Until none is left: a process that is killed takes its moment to go, and may have just started another one.
        deadline = time.monotonic() + STOP_SECONDS
        while (remaining := _members(sessions)) and time.monotonic() < deadline:
            for pid in remaining:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self._processes.values():
                process.poll()
            time.sleep(0.05)

    def _ended(self) -> str | None:
        return next((name for name, process in self._processes.items() if process.poll() is not None), None)


def _members(sessions: list[int]) -> list[int]:
    """Processes of some sessions: a component's children, also those that it forgot."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(int(entry.name)) in sessions:
                    found.append(int(entry.name))
    return found
