"""The command line, for the installation of the tests."""

import os
import subprocess
import sys

from batchstream.local.installation import Installation

COMMAND = """
import sys
from pathlib import Path
from batchstream.cli import main, run
from batchstream.local.installation import Installation
state = Path(sys.argv.pop(1))
main.Installation = run.Installation = lambda: Installation(state)
sys.exit(main.main())
"""


def start(installation: Installation, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """The command in a process group of its own, with its output and its errors in one stream."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(installation.state), *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def batchstream(installation: Installation, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    process = start(installation, *arguments, **variables)
    said, _ = process.communicate(timeout=400)
    return subprocess.CompletedProcess(process.args, process.returncode, said)


def last_line(said: str) -> str:
    return said.strip().splitlines()[-1]
