"""A real single-node KRaft broker, from its jars: loopback only."""

import base64
import os
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from batchstream.services import ports
from batchstream.services.errors import ServiceError
from batchstream.services.jars import jar_paths
from batchstream.services.java import UTF_8, java_home
from batchstream.services.processes import Daemon

START_SECONDS = 60
HEAP = "512m"
MAX_MESSAGE_BYTES = 10 * 1024 * 1024

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

    def __init__(self, state: Path, jars: Path, port: int, controller_port: int) -> None:
        self.port = port
        self._controller_port = controller_port
        self._jars = jars
        self.folder = state / "kafka"
        self.daemon = Daemon("Kafka", state / "kafka.pid", state / "logs" / "kafka.log")

    @property
    def bootstrap_servers(self) -> str:
        """Address of the broker."""
        return f"{ports.LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start the broker, after formatting its storage if there is none, and wait until it answers."""
        if self.daemon.pid is None:
            self._prepare()
            command = [*self._java(f"-Xmx{HEAP}", f"-Xms{HEAP}"), "kafka.Kafka", "server.properties"]
            self.daemon.start(command, {**os.environ, **UTF_8}, cwd=self.folder)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the broker in good order."""
        self.daemon.stop()

    def kill(self) -> None:
        """Kill the broker, as a crash would."""
        self.daemon.stop(signal.SIGKILL)

    def remove(self) -> None:
        """Remove its storage."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        cluster_id = _cluster_id(self.folder / "data" / "meta.properties")
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.daemon.pid is None:
                raise self.daemon.failed("ended while starting")
            # The id, as somebody else's broker may have taken the port in the same moment.
            if ports.is_open(self.port) and self._answering_cluster() == cluster_id:
                return
            if time.monotonic() > deadline:
                raise self.daemon.failed(f"was not ready after {START_SECONDS} s")
            time.sleep(0.1)

    def _answering_cluster(self) -> str | None:
        client = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
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
        (self.folder / "server.properties").write_text(self._properties())
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
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{ports.LOOPBACK}:{self._controller_port}",
            "listeners": f"PLAINTEXT://{self.bootstrap_servers},CONTROLLER://{ports.LOOPBACK}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap_servers}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": "data",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "message.max.bytes": str(MAX_MESSAGE_BYTES),
            "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
            "controlled.shutdown.max.retries": "1",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def _cluster_id(meta: Path) -> str:
    """The id that formatting gave to the storage."""
    lines = dict(line.split("=", 1) for line in meta.read_text().splitlines() if "=" in line)
    return lines["cluster.id"]
