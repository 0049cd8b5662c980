"""Keeps Airflow's components running: one that ends is started again, and in the end none is left behind."""

import subprocess
import sys
import time
from collections.abc import Mapping
from types import FrameType

from batchstream.local import ports, sessions
from batchstream.local.console import say
from batchstream.local.errors import ServiceError
from batchstream.local.installation import Installation

READY_SECONDS = 120
MOST_RESTARTS = 5
RESTARTS_SECONDS = 600
"""A component that ends more than `MOST_RESTARTS` times in this time has a cause that a start does not mend."""


def commands(installation: Installation) -> dict[str, list[str]]:
    """Each component's command."""
    # Airflow's own servers of log files listen on all addresses; one that does not takes their place.
    logs = [sys.executable, "-m", "uvicorn", "airflow.utils.serve_logs.log_server:get_app", "--factory", "--no-access-log"]
    return {
        "api-server": ["airflow", "api-server"],
        "scheduler": ["airflow", "scheduler", "--skip-serve-logs"],
        "dag-processor": ["airflow", "dag-processor"],
        "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
        "log-server": [*logs, "--host", ports.LOOPBACK, "--port", str(installation.ports["airflow_logs"])],
    }


class Supervisor:
    """Airflow's components as children, each in a session of its own so that none of its children is left behind."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._environment: Mapping[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: list[float] = []
        self._noted = installation.state / "airflow" / "components.json"
        self.stop_requested = False

    def request_stop(self, _number: int, _frame: FrameType | None) -> None:
        """Signal handler."""
        self.stop_requested = True

    def stop_leftovers(self) -> None:
        """Stop what a command that was killed has left: it has the ports, and would work against the new components."""
        sessions.stop(sessions.noted(self._noted))

    def start(self) -> None:
        """Start every component and wait until the web interface answers.

        Raises:
            ServiceError: A component ended, or nothing answered in time.
        """
        self._environment = self._installation.environment()
        for name in commands(self._installation):
            self._start(name)
        deadline = time.monotonic() + READY_SECONDS
        while not ports.is_open(self._installation.ports["airflow"]):
            if self.stop_requested:
                return
            if (ended := self._ended()) or time.monotonic() > deadline:
                raise ServiceError(f"Airflow did not start: {ended or 'no answer'}; see {self._log(ended or 'api-server')}")
            time.sleep(0.1)

    def look(self) -> None:
        """Start the components again that have ended.

        Raises:
            ServiceError: That has happened too often.
        """
        while ended := self._ended():
            now = time.monotonic()
            self._restarts = [*(at for at in self._restarts if now - at < RESTARTS_SECONDS), now]
            if len(self._restarts) > MOST_RESTARTS:
                raise ServiceError(f"Airflow's {ended} ended again and again; see {self._log(ended)}")
            say(f"Airflow's {ended} ended and is started again; see {self._log(ended)}")
            # Whatever it has left would work against the new one.
            sessions.stop([self._processes[ended].pid])
            self._start(ended)

    def stop(self) -> None:
        """Stop every component and whatever it started."""
        sessions.stop([process.pid for process in self._processes.values()], reap=self._ended)
        self._noted.unlink(missing_ok=True)

    def _start(self, name: str) -> None:
        with open(self._log(name), "ab") as log:  # noqa: PTH123 - the path is a text for messages
            self._processes[name] = subprocess.Popen(
                commands(self._installation)[name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        sessions.note(self._noted, {name: process.pid for name, process in self._processes.items()})

    def _log(self, name: str) -> str:
        return str(self._installation.state / "logs" / f"airflow-{name}.log")

    def _ended(self) -> str | None:
        """Name of a component that has ended."""
        ended = [name for name, process in self._processes.items() if process.poll() is not None]
        return ended[0] if ended else None
