"""Bounds what an installation keeps of its runs: Airflow's records, and logs. Once a day; no run waits for it or fails by it."""

import os
import subprocess
import time
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import psycopg

from batchstream.errors import BatchstreamError
from batchstream.local import metadata
from batchstream.local.console import out
from batchstream.local.errors import ServiceError
from batchstream.local.installation import Installation
from batchstream.local.progress import progress
from batchstream.local.repeating import repeating
from batchstream.postgres import names

KEPT_DAYS = 90
"""Airflow's records of runs, and its logs of tasks."""

MOST_LOG_BYTES = 20 * 1024 * 1024
"""The log of a service is cut when it is longer; as much of its end is kept beside it."""

EVERY_SECONDS = 24 * 60 * 60
LOOK_SECONDS = 60

SERVICE_LOGS = ("kafka.log", "postgres.log", "spark.log", "airflow-*.log")

TABLES = (
    *("asset_event", "callback", "dag_run", "dag_version", "job", "log", "task_instance", "task_instance_history"),
    *("task_reschedule", "trigger", "xcom"),
)
"""What runs and components of Airflow add to. Not ``dag``: that of a clone which nobody used for long has what is paused."""


WITHOUT_ERRORS = ("3.2.0", "3.2.1")
"""Versions of Airflow whose command can't be asked for an exit status that tells a failure: it knows no such option."""


def tidy(installation: Installation) -> None:
    """Remove what is older than `KEPT_DAYS`, and cut long logs; at most once a day.

    What can't be removed is told, and left for the next day.
    """
    stamp = installation.state / "airflow" / "tidied"
    if stamp.exists() and 0 <= time.time() - stamp.stat().st_mtime < EVERY_SECONDS:
        return
    # Before it begins: another command of this clone need not do the same.
    stamp.touch()
    try:
        _cut_logs(installation.state / "logs")
        before = _before(installation)
        _remove_files(installation.state / "airflow" / "logs", before)
        _remove_records(installation, before)
    except (BatchstreamError, psycopg.Error, OSError) as error:
        out.print(f"what is older than {KEPT_DAYS} days is not removed, and tried again tomorrow: {error}", markup=False)


def tidying(installation: Installation) -> AbstractContextManager[None]:
    """Tidy in a thread, daily, until the block ends."""
    return repeating(lambda: tidy(installation), LOOK_SECONDS)


def _before(installation: Installation) -> datetime:
    """Since when everything is kept; 'airflow db clean' would also take what a run needs that has not ended."""
    before = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
    with installation.postgres.connect(names.AIRFLOW) as airflow:
        began = metadata.oldest_running(airflow)
    if began is None or began > before:
        return before
    out.print(f"what is younger than {began:%Y-%m-%d} is kept, as a run that began then has not ended", markup=False)
    return began


def _cut_logs(folder: Path) -> None:
    for pattern in SERVICE_LOGS:
        for path in folder.glob(pattern):
            if path.stat().st_size > MOST_LOG_BYTES:
                with path.open("rb") as log:
                    log.seek(-MOST_LOG_BYTES, os.SEEK_END)
                    path.with_name(f"{path.name}.1").write_bytes(log.read())
                # Not renamed: the service has it open, and appends.
                os.truncate(path, 0)


def _remove_files(folder: Path, before: datetime) -> None:
    for place, _, files in os.walk(folder, topdown=False):
        for path in (Path(place, name) for name in files):
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < before.timestamp():
                    path.unlink()
        if Path(place) != folder:
            # One that is not empty stays.
            with suppress(OSError):
                Path(place).rmdir()


def _remove_records(installation: Installation, before: datetime) -> None:
    with installation.postgres.connect(names.AIRFLOW) as airflow:
        if not metadata.has_older(airflow, before):
            return
    log_file = installation.state / "logs" / "airflow-db-clean.log"
    command = ["airflow", "db", "clean", "--clean-before-timestamp", before.isoformat(), "--tables", ",".join(TABLES)]
    if version("apache-airflow-core") not in WITHOUT_ERRORS:
        command.append("--error-on-cleanup-failure")
    with log_file.open("wb") as log, progress(f"removing Airflow's records of runs older than {KEPT_DAYS} days"):
        done = subprocess.run(
            [*command, "--skip-archive", "--yes"],
            env=installation.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            # Ctrl-C in the middle would leave Airflow's own copies of what it removes.
            start_new_session=True,
        )
    if done.returncode:
        raise ServiceError(f"'airflow db clean' failed, see {log_file}")
