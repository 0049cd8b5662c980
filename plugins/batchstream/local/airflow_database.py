"""Airflow's own database: brought to the schema of the installed version."""

import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from batchstream.local.errors import ServiceError
from batchstream.local.progress import progress


def migrate(state: Path, environment: Mapping[str, str]) -> None:
    """Migrate it, if that was not done for this version; half a minute the first time.

    Args:
        state: Folder of the installation.
        environment: Of Airflow's commands.

    Raises:
        ServiceError: Airflow could not.
    """
    stamp = state / "airflow" / "migrated"
    installed = version("apache-airflow")
    if stamp.exists() and stamp.read_text() == installed:
        return
    log_file = state / "logs" / "airflow-db-migrate.log"
    with log_file.open("ab") as log, progress("preparing Airflow's database"):
        done = subprocess.run(
            ["airflow", "db", "migrate"], env=dict(environment), stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise ServiceError(f"Airflow's database could not be migrated; see {log_file}")
    stamp.write_text(installed)
