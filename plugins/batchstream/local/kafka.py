"""A real single-node KRaft broker, from its jars: loopback only, and nobody is let in without a password.

Clients log in by SCRAM, so that whoever takes the port while the broker is down learns nothing from their attempts. What SCRAM
compares with is in the broker's own storage, where it is put when the broker has started: by its own account, whose password is
another one after each start, and which no client uses.
"""

import base64
import os
import secrets
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from batchstream.local import ports
from batchstream.local.broker_settings import OPERATOR, USER, client_settings, server_properties
from batchstream.local.errors import ServiceError
from batchstream.local.jars import jar_paths
from batchstream.local.java import UTF_8, java_home
from batchstream.local.processes import Daemon
from batchstream.local.secrets import write_private

START_SECONDS = 60
HEAP = "512m"
SCRAM_ITERATIONS = 4096
"""The least that Kafka takes: they make guessing of short passwords slow, and ours are random and long."""

LOG_SETTINGS = """\
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
"""


def new_cluster_id() -> str:
    """An id for a new cluster: 16 bytes in URL-safe base64 without padding, as Kafka's own tool makes it.

    It never starts with a dash, which the formatting tool would take for an option.
    """
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


class EmbeddedKafka:
    """One broker, its own controller."""

    def __init__(self, state: Path, jars: Path, port: int, controller_port: int, password: str) -> None:
        self.port = port
        self._password = password
        self._controller_port = controller_port
        self._jars = jars
        self.folder = state / "kafka"
        self.daemon = Daemon("Kafka", state / "kafka.pid", state / "logs" / "kafka.log")

    @property
    def bootstrap_servers(self) -> str:
        """Address of the broker."""
        return f"{ports.LOOPBACK}:{self.port}"

    @property
    def client_settings(self) -> dict[str, str]:
        """How a client logs in, in librdkafka's names."""
        return client_settings(self.port, self._password)

    def start(self) -> None:
        """Start the broker, after formatting its storage if there is none, and wait until it lets clients in."""
        if self.daemon.pid is not None and not self._operator_password.exists():
            # Of an older release, which let everybody in.
            self.daemon.stop()
        if self.daemon.pid is None:
            self._prepare()
            command = [*self._java(f"-Xmx{HEAP}", f"-Xms{HEAP}"), "kafka.Kafka", "server.properties"]
            self.daemon.start(command, {**os.environ, **UTF_8}, cwd=self.folder)
            self._wait_until_ready(self._operator_settings())
            self._let_in()
        elif self._answering_cluster(self.client_settings) is None:
            # Whoever started it was stopped before this.
            self._wait_until_ready(self._operator_settings())
            self._let_in()
        self._wait_until_ready(self.client_settings)

    def stop(self) -> None:
        """Stop the broker in good order."""
        self.daemon.stop()

    def kill(self) -> None:
        """Kill the broker, as a crash would."""
        self.daemon.stop(signal.SIGKILL)

    def remove(self) -> None:
        """Remove its storage."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _operator_password(self) -> Path:
        return self.folder / "operator.password"

    def _operator_settings(self) -> dict[str, str]:
        login = {"sasl.mechanism": "PLAIN", "sasl.username": OPERATOR, "sasl.password": self._operator_password.read_text()}
        return {**self.client_settings, **login}

    def _let_in(self) -> None:
        """Tell the broker the password of clients; it keeps what SCRAM compares with."""
        admin = AdminClient({**self._operator_settings(), "log_level": 0})
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, SCRAM_ITERATIONS)
        change = UserScramCredentialUpsertion(USER, info, self._password.encode())
        try:
            admin.alter_user_scram_credentials([change], request_timeout=START_SECONDS)[USER].result()
        except KafkaException as error:
            raise self.daemon.failed(f"did not take the password of its clients: {error}") from error

    def _wait_until_ready(self, settings: Mapping[str, str]) -> None:
        cluster_id = _cluster_id(self.folder / "data" / "meta.properties")
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.daemon.pid is None:
                raise self.daemon.failed("ended while starting")
            # The id, as somebody else's broker may have taken the port in the same moment.
            if ports.is_open(self.port) and self._answering_cluster(settings) == cluster_id:
                return
            if time.monotonic() > deadline:
                raise self.daemon.failed(f"was not ready after {START_SECONDS} s")
            time.sleep(0.1)

    def _answering_cluster(self, settings: Mapping[str, str]) -> str | None:
        client = AdminClient({**settings, "log_level": 0})
        try:
            return str(client.list_topics(timeout=5).cluster_id)
        except KafkaException:
            return None

    def _java(self, *options: str) -> list[str | Path]:
        classes = os.pathsep.join(str(jar) for jar in jar_paths(self._jars, "kafka"))
        # The broker works in its folder and has no path of it in a file of settings: to Java those are ISO 8859-1, and a list of
        # folders ends at a comma.
        fixed = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=log4j2.properties")
        return [java_home() / "bin" / "java", *fixed, *options, "-cp", classes]

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        (self.folder / "log4j2.properties").write_text(LOG_SETTINGS)
        write_private(self._operator_password, secrets.token_urlsafe(24))
        write_private(self.folder / "server.properties", self._properties())
        if (self.folder / "data" / "meta.properties").exists():
            return
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", self._cluster_id(), "-c", "server.properties"]
        made = subprocess.run(
            command, env={**os.environ, **UTF_8}, capture_output=True, text=True, errors="replace", check=False, cwd=self.folder
        )
        if made.returncode:
            raise ServiceError(f"Kafka: formatting its storage failed: {made.stderr.strip() or made.stdout.strip()}")

    def _cluster_id(self) -> str:
        return new_cluster_id()

    def _properties(self) -> str:
        operator = self._operator_password.read_text()
        return server_properties(self.bootstrap_servers, self._controller_port, operator)


def _cluster_id(meta: Path) -> str:
    """The id that formatting gave to the storage."""
    lines = dict(line.split("=", 1) for line in meta.read_text().splitlines() if "=" in line)
    return lines["cluster.id"]
