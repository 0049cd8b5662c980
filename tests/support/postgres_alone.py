"""Runs a command beside an embedded PostgreSQL that is set up and whose folder the command's tests find in their environment.

``python -m tests.support.postgres_alone COMMAND …``. There is no Kafka, so tests that need one fail.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from batchstream.local.installation import Installation
from batchstream.postgres.setup import set_up
from tests.conftest import SERVICES_VARIABLE, make_state


@contextmanager
def running_postgres() -> Iterator[Installation]:
    """A server in a folder of its own, stopped and removed at the end."""
    found = Installation(make_state())
    try:
        for name in ("logs", "jars"):
            (found.state / name).mkdir()
        found.postgres.start()
        set_up(found.postgres.connect, found.secrets)
        yield found
    finally:
        found.postgres.stop()
        found.postgres.remove()
        shutil.rmtree(found.state, ignore_errors=True)


if __name__ == "__main__":
    # The server is stopped also when this is ended by a signal.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_postgres() as installation:
        environment = os.environ | {SERVICES_VARIABLE: str(installation.state)}
        status = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    sys.exit(status)
