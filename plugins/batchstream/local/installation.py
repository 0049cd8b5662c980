"""Everything that one clone runs: services, secrets, ports, all below one folder."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from batchstream.load.engines import Engines
from batchstream.local import connections, environment, ports, sessions
from batchstream.local.airflow_database import migrate
from batchstream.local.chosen_ports import PREFERRED_PORTS, kept_or_chosen, move
from batchstream.local.connections import Connections
from batchstream.local.errors import ServiceError
from batchstream.local.folders import make_folders
from batchstream.local.jars import download_missing
from batchstream.local.java import UTF_8
from batchstream.local.kafka import EmbeddedKafka
from batchstream.local.locks import only_one
from batchstream.local.postgres import EmbeddedPostgres
from batchstream.local.progress import progress
from batchstream.local.quick_start.archive import archive_path, is_due, make_archive
from batchstream.local.quick_start.spark_home import spark_home
from batchstream.local.secrets import load_secrets
from batchstream.local.usable import require_usable
from batchstream.paths import COMMAND, ROOT
from batchstream.postgres import names
from batchstream.postgres.connection import settings_of
from batchstream.postgres.setup import set_up

START_ATTEMPTS = 3

STATE_FOLDER = ROOT / ".batchstream"


class Installation:
    """The services of one clone, or of one test run.

    Args:
        state: Folder for everything that is generated; the default is ``.batchstream`` of the clone.
    """

    def __init__(self, state: Path = STATE_FOLDER) -> None:
        self.state = state.resolve()
        self.jars = STATE_FOLDER / "jars"

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Passwords and keys."""
        return load_secrets(self.state / "secrets")

    @cached_property
    def ports(self) -> dict[str, int]:
        """Ports of this installation; chosen once, the usual ones if they are free."""
        return kept_or_chosen(self._ports_file)

    @property
    def _ports_file(self) -> Path:
        return self.state / "ports.json"

    @cached_property
    def kafka(self) -> EmbeddedKafka:
        """The broker."""
        return EmbeddedKafka(self.state, self.jars, self.ports["kafka"], self.ports["kafka_controller"], self.secrets["kafka"])

    @cached_property
    def postgres(self) -> EmbeddedPostgres:
        """The database."""
        return EmbeddedPostgres(self.state, self.ports["postgres"], self.secrets[names.SUPERUSER])

    def install(self) -> None:
        """Get what the services run from.

        Raises:
            ServiceError: The clone lies where services can't work, or something could not be downloaded.
        """
        require_usable(ROOT, self.state)
        make_folders(self.state, self.secrets["airflow_admin"])
        download_missing(self.jars)

    def up(self) -> None:
        """Start what is not running; the first time, set everything up."""
        self.install()
        # Two commands in one clone: the second finds everything started.
        with self.changing_services():
            self.start_services()
            set_up(self.postgres.connect, self.secrets)
            self._train_spark()
            migrate(self.state, self.environment())

    def changing_services(self) -> AbstractContextManager[None]:
        """Start and stop services alone: other commands of this clone wait."""
        return only_one(self.state / "up.lock", "another command that starts or stops the services")

    def start_services(self) -> None:
        """Start PostgreSQL and Kafka, on other ports if somebody else is quicker."""
        self.move_from_taken_ports(self._ports_of_stopped())
        for attempt in range(1, START_ATTEMPTS + 1):
            try:
                for service in (self.postgres, self.kafka):
                    with progress(f"starting {service.daemon.name}", quick=True):
                        service.start()
                return
            except ServiceError:
                if attempt == START_ATTEMPTS:
                    raise
                # Most likely two clones that started in one moment chose the same port, and either may have lost it.
                self._move(self._ports_of_stopped())

    def down(self) -> None:
        """Stop what was started, and nothing else."""
        if not self.state.exists():
            return
        with self.changing_services():
            for service in (self.kafka, self.postgres):
                with progress(f"stopping {service.daemon.name}", quick=True):
                    service.stop()
        # Without its services make ui ends by itself; what one that was killed has left does not.
        with only_one(self.state / "ui.lock", f"{COMMAND} ui to end"):
            sessions.stop(sessions.noted(self.state / "airflow" / "components.json"))

    def stopped_services(self) -> list[str]:
        """Names of the services that nobody started, or somebody stopped; one that crashed is not among them."""
        daemons = (self.kafka.daemon, self.postgres.daemon)
        return [daemon.name for daemon in daemons if daemon.pid is None and not daemon.crashed]

    def clean(self) -> None:
        """Stop everything and remove what was generated."""
        if self.state.exists():
            self.down()
            self.postgres.remove()
            self.kafka.remove()
            shutil.rmtree(self.state)

    def environment(self) -> dict[str, str]:
        """Environment for Airflow, Spark and clients: the caller's, and what `environment.py` adds."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "SPARK_", "PG"))}
        return {
            **inherited,
            **UTF_8,
            **environment.tools(),
            "SPARK_HOME": str(spark_home(self.jars)),
            **environment.airflow_settings(self.state, self.ports, self.secrets),
            **self.connections().variables,
        }

    def connections(self) -> Connections:
        """Airflow's connections: a user's, where there are any, and otherwise those of the embedded engines.

        Raises:
            ServiceError: Those of a user don't fit together.
        """
        try:
            with self.postgres.connect(names.AIRFLOW) as airflow:
                stored = connections.stored_in_airflow(airflow)
        except psycopg.OperationalError:
            # PostgreSQL is not running, or being set up.
            stored = []
        embedded = environment.connections(self.state, self.jars, self.ports, self.secrets)
        return connections.choose(embedded, os.environ, stored)

    def engines(self) -> Engines:
        """Where the loads of this installation are."""
        chosen = self.connections()
        fields: dict[str, Mapping[str, Any]] = {}
        for id_ in (connections.KAFKA, connections.LOADER, connections.OWNER):
            if id_ in chosen.own:
                fields[id_] = connections.resolve(id_, self.environment())
            else:
                embedded = json.loads(chosen.variables[connections.variable(id_)])
                fields[id_] = {**embedded, "extra_dejson": embedded.get("extra")}
        loader, owner = (settings_of(id_, fields[id_]) for id_ in (connections.LOADER, connections.OWNER))
        return Engines(fields[connections.KAFKA]["extra_dejson"], loader, owner)

    def spark_settings(self) -> dict[str, Any]:
        """Class path, memory and configuration for Spark on this machine."""
        return environment.spark_connection(self.jars, self.state, environment.log_settings(self.state))

    def client_environment(self, role: str) -> dict[str, str]:
        """Environment for a program of PostgreSQL's, which logs in to the database of the data sets as a role."""
        return {
            "PGHOST": ports.LOOPBACK,
            "PGPORT": str(self.ports["postgres"]),
            "PGDATABASE": names.DATABASE,
            "PGUSER": role,
            "PGPASSWORD": self.secrets[role],
        }

    def has_data(self) -> bool:
        """Whether there is anything that was loaded."""
        return self.state.exists() and (self.postgres.data.exists() or (self.kafka.folder / "data").exists())

    def taken_ports(self) -> dict[str, int]:
        """Services that did not get their usual port, with the port that they have."""
        usual = {name: PREFERRED_PORTS[name] for name in ("kafka", "postgres", "airflow")}
        return {name: self.ports[name] for name, port in usual.items() if self.ports[name] != port}

    def move_from_taken_ports(self, names: Iterable[str]) -> None:
        """Choose other ports for services that are down and whose ports somebody else has taken meanwhile."""
        self._move([name for name in names if not ports.is_free(self.ports[name])])

    def _move(self, names: list[str]) -> None:
        if names:
            move(self._ports_file, self.ports, names)
            for name in ("ports", "kafka", "postgres"):
                self.__dict__.pop(name, None)

    def _ports_of_stopped(self) -> list[str]:
        return [
            *(("kafka", "kafka_controller") if self.kafka.daemon.pid is None else ()),
            *(("postgres",) if self.postgres.daemon.pid is None else ()),
        ]

    def _train_spark(self) -> None:
        """Make the class-data archive of the Spark job, the first time and after an upgrade."""
        spark = self.spark_settings()
        path = archive_path(self.jars, spark["driver_class_path"])
        if is_due(path):
            with progress("preparing a quick start of Spark"):
                make_archive(path, spark, self.kafka.client_settings, self.environment(), self.state / "logs" / "training.log")
