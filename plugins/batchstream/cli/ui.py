"""``make ui``: Airflow's components under supervision; Ctrl-C stops all of them."""

import signal
import time

from batchstream.cli.output import describe
from batchstream.cli.supervisor import Supervisor
from batchstream.local import runs
from batchstream.local.console import complain, say
from batchstream.local.environment import UI_USER
from batchstream.local.housekeeping import tidying
from batchstream.local.installation import Installation
from batchstream.local.locks import only_one
from batchstream.local.progress import progress
from batchstream.local.watch import watching
from batchstream.paths import COMMAND

PORTS = ("airflow", "airflow_logs")
LOOK_SECONDS = 0.5
RECOVER_SECONDS = 5
"""A run of another command that was killed is marked as failed after this time, as it keeps its DAG from running."""


def serve(installation: Installation) -> int:
    """Start the components, say how to log in, and wait for Ctrl-C."""
    installation.up()
    in_use = f"{COMMAND} ui runs in this clone already; use that one, or end it with Ctrl-C"
    with only_one(installation.state / "ui.lock", refused=in_use), watching(installation):
        runs.fail_abandoned(installation)
        supervisor = Supervisor(installation)
        supervisor.stop_leftovers()
        installation.move_from_taken_ports(PORTS)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, supervisor.request_stop)
        try:
            with progress("starting Airflow"):
                supervisor.start()
            _describe(installation)
            with tidying(installation):
                return _wait(installation, supervisor)
        finally:
            with progress("stopping Airflow", quick=True):
                supervisor.stop()
            say(f"Airflow is stopped; {COMMAND} down stops Kafka and PostgreSQL")


def _describe(installation: Installation) -> None:
    for line in describe(installation):
        say(line)
    say(f"Airflow on http://127.0.0.1:{installation.ports['airflow']}")
    say(f"log in as '{UI_USER}' with the password in {installation.state / 'airflow' / 'ui_passwords.json'}")
    say("a data set is reloaded at its next scheduled time, or when you trigger its DAG")
    say(f"logs in {installation.state / 'logs'}; Ctrl-C stops Airflow")


def _wait(installation: Installation, supervisor: Supervisor) -> int:
    """Wait until somebody asks to stop; 1 if the services were stopped or a component can't be kept running."""
    recovered = time.monotonic()
    while not supervisor.stop_requested:
        if stopped := installation.stopped_services():
            complain(f"{' and '.join(stopped)}: stopped, as {COMMAND} down does; start {COMMAND} ui again when you need it")
            return 1
        if not installation.postgres.daemon.crashed:
            supervisor.look()
            if time.monotonic() - recovered > RECOVER_SECONDS:
                runs.fail_abandoned(installation, also_of_commands=False)
                recovered = time.monotonic()
        time.sleep(LOOK_SECONDS)
    return 0
