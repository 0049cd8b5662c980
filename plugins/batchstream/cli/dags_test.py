"""One run of ``airflow dags test``: its output in a file, a line per task on the console."""

import os
import re
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from batchstream.cli.output import say
from batchstream.contract import Contract
from batchstream.report import REPORT_VARIABLE, Failure, reported
from batchstream.services import runs
from batchstream.services.installation import Installation
from batchstream.services.locks import only_one
from batchstream.services.progress import moving

KEPT_LOGS = 20
"""Output of this many runs of a data set is kept."""

POLL_SECONDS = 0.1
STOP_SECONDS = 10

_STARTED = re.compile(r"\[DAG TEST\] starting task_id=(\w+)")
_ENDED = re.compile(r"\[DAG TEST\] end task task_id=(\w+)")
_WAITING = re.compile(r"\] waiting: (.*?)\s+\[\S+\]|\bwaiting: (load .*?)(?:\s+\[|$)")
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


def dags_test(installation: Installation, contract: Contract) -> Outcome:
    """Run the DAG of a contract, and follow it to its end.

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
                ["airflow", "dags", "test", contract.dag_id, began.isoformat()],
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
    with ExitStack() as shown:
        shown.enter_context(moving("  starting Airflow"))
        begun, rest, told = time.monotonic(), "", 0
        while True:
            ended = process.poll() is not None
            lines = (rest + log.read()).split("\n")
            rest = "" if ended else lines.pop()
            for line in lines:
                if found := _STARTED.search(line):
                    started()
                    shown.close()
                    begun = time.monotonic()
                    shown.enter_context(moving(f"  {found[1]}"))
                elif found := _ENDED.search(line):
                    shown.close()
                    seconds = time.monotonic() - begun
                    outcome.seconds[found[1]] = outcome.seconds.get(found[1], 0) + seconds
                    failures = reported(report)
                    say(f"  {found[1]:<18}{seconds:6.1f} s{_told(failures[told:])}")
                    is_tried_again = bool(failures[told:]) and not failures[-1].final
                    told = len(failures)
                    shown.enter_context(moving("  waiting for the next try" if is_tried_again else "  Airflow"))
                elif found := _WAITING.search(line):
                    say(f"  waiting: {found[1] or found[2]}")
                elif found := _ERROR.fullmatch(line.strip()):
                    outcome.last_words = found[0]
            if ended:
                return
            time.sleep(POLL_SECONDS)


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
