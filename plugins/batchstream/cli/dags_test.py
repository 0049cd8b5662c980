"""One run of ``airflow dags test``: its output in a file, a line per task on the console."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from batchstream.contract import Contract
from batchstream.local import runs
from batchstream.local.console import say
from batchstream.local.installation import Installation
from batchstream.local.locks import only_one
from batchstream.local.progress import moving
from batchstream.report import REPORT_VARIABLE, Failure, reported

KEPT_LOGS = 20
"""Output of this many runs of a data set is kept."""

POLL_SECONDS = 0.1
STOP_SECONDS = 10

_STARTED = re.compile(r"\[DAG TEST\] starting task_id=(\w+)")
_ENDED = re.compile(r"\[DAG TEST\] end task task_id=(\w+)")
_WAITING = re.compile(r"\] waiting: (.*?)\s+\[[\w.]+\]")
_ERROR = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b.*")


@dataclass
class Outcome:
    """What a run of the command came to.

    Attributes:
        logical_date: By which Airflow's records know the run.
        log_file: All of its output.
        status: Its exit status, as `subprocess` gives it: negative for a signal.
        seconds: Of each task, all its tries together.
        failures: What its tasks reported.
        last_words: The error with which the command itself ended, if it printed one.
    """

    logical_date: datetime
    log_file: Path
    status: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    last_words: str | None = None


def dags_test(installation: Installation, contract: Contract, parameters: Mapping[str, object]) -> Outcome:
    """Run the DAG of a contract with these parameters of a run, and follow it to its end.

    Raises:
        KeyboardInterrupt: Somebody stopped it; it has ended.
    """
    began = datetime.now(UTC)
    outcome = Outcome(began, _new_log(installation, contract, began))
    with runs.hold(installation, contract.dag_id, began) as held, ExitStack() as alone:
        # Airflow writes all DAGs into its database when it starts, and two that do so at the same time may fail.
        alone.enter_context(only_one(installation.state / "airflow" / "start.lock", "another run that starts"))
        # Into a file and not a pipe: if this command is killed, the run goes on to its end.
        with outcome.log_file.open("wb") as log:
            process = subprocess.Popen(
                ["airflow", "dags", "test", contract.dag_id, began.isoformat(), "--conf", json.dumps(parameters)],
                env={**installation.environment(), REPORT_VARIABLE: str(held.report)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[held.descriptor],
            )
        try:
            with outcome.log_file.open(encoding="utf-8", errors="replace") as log_lines:
                _follow(process, log_lines, held.report, outcome, started=alone.close)
        finally:
            _stop(process)
        outcome.status = process.returncode
        outcome.failures = reported(held.report)
    return outcome


def _follow(
    process: subprocess.Popen[bytes], log: IO[str], report: Path, outcome: Outcome, *, started: Callable[[], None]
) -> None:
    """Say what the output says, until the process has ended; call `started` when the first task starts."""
    rest = ""
    with _Steps(outcome, report) as steps:
        while True:
            ended = process.poll() is not None
            lines = (rest + log.read()).split("\n")
            rest = "" if ended else lines.pop()
            for line in lines:
                if found := _STARTED.search(line):
                    started()
                    steps.start(found[1])
                elif _ENDED.search(line):
                    steps.end()
                elif found := _WAITING.search(line):
                    steps.wait(found[1])
                elif found := _ERROR.fullmatch(line.strip()):
                    outcome.last_words = found[0]
            if ended:
                return
            time.sleep(POLL_SECONDS)


class _Steps:
    """The lines about the tasks, and what moves while one works."""

    def __init__(self, outcome: Outcome, report: Path) -> None:
        self._outcome = outcome
        self._report = report
        self._task = ""
        self._begun = time.monotonic()
        self._waiting: str | None = None
        self._failures = 0
        self._shown = ExitStack()

    def __enter__(self) -> "_Steps":
        self._show("  starting Airflow")
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def start(self, task: str) -> None:
        # A task that waits for another run steps back again and again; that is one step.
        if task != self._task or self._waiting is None:
            self._task, self._begun, self._waiting = task, time.monotonic(), None
            self._show(f"  {task}")

    def wait(self, what: str) -> None:
        if what != self._waiting:
            say(f"  waiting: {what}")
            self._waiting = what
            self._show(f"  {self._task}, waiting")

    def end(self) -> None:
        failures = reported(self._report)
        new, self._failures = failures[self._failures :], len(failures)
        seconds = time.monotonic() - self._begun
        self._outcome.seconds[self._task] = self._outcome.seconds.get(self._task, 0) + seconds
        say(f"  {self._task:<18}{seconds:6.1f} s{_told(new)}")
        self._show("  waiting for the next try" if new and not new[-1].final else "  Airflow")

    def _show(self, what: str) -> None:
        self._shown.close()
        self._shown.enter_context(moving(what))


def _told(failures: list[Failure]) -> str:
    if not failures:
        return ""
    return "  failed" if failures[-1].final else f"  failed, and is tried again: {' '.join(failures[-1].reason.split())}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """See to it that the process has ended: by itself after Ctrl-C, which reached it too, or by force."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _new_log(installation: Installation, contract: Contract, began: datetime) -> Path:
    """A file for the output; the one with the plain name is always the newest run's."""
    folder = installation.state / "logs"
    old = sorted(folder.glob(f"{contract.dag_id}.2*.log"))
    for path in old[: max(0, len(old) - KEPT_LOGS + 1)]:
        path.unlink(missing_ok=True)
    log_file = folder / f"{contract.dag_id}.{began.strftime('%Y%m%dT%H%M%S%f')}.log"
    log_file.touch()
    link = folder / f"{contract.dag_id}.{os.getpid()}.partial"
    link.symlink_to(log_file.name)
    link.rename(folder / f"{contract.dag_id}.log")
    return log_file
