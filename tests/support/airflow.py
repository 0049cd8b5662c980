"""Runs Airflow's own commands against the test installation."""

import subprocess

from batchstream.local.installation import Installation


def airflow(installation: Installation, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["airflow", *arguments],
        env={**installation.environment(), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
