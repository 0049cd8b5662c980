"""A stack of docker-compose.yaml under a project name, an address and secrets of its own, from a copy of the working tree."""

import json
import os
import shutil
import signal
from collections.abc import Mapping
from typing import Any

import psycopg
from confluent_kafka import Consumer, TopicPartition

from batchstream.paths import ROOT
from tests.compose.commands import run
from tests.compose.engine import STATE
from tests.support.waiting import wait_for

# Another loopback address than everybody's, as the ports are fixed and may be taken there.
ADDRESS = "127.99.0.1"
PROJECT = "batchstream-test"
READY_SECONDS = 420
BUILD_SECONDS = 1800


class Stack:
    """The services of some compose files."""

    def __init__(self, engine: Mapping[str, str], *overlays: str) -> None:
        self._files = [part for name in ("docker-compose.yaml", *overlays) for part in ("--file", name)]
        self.folder = STATE / "project"
        self._environment = {**engine, "BIND_ADDRESS": ADDRESS, "KAFKA_ADVERTISED_HOST": ADDRESS}

    def prepare(self) -> None:
        """Copy what git knows or would take, and make secrets as a user does."""
        shutil.rmtree(self.folder, ignore_errors=True)
        listed = run("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        for name in listed.split("\0"):
            if name and (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        run("python3", self.folder / "scripts" / "make_env.py")
        run(self.folder / "scripts" / "make_certificates.sh")

    def compose(self, *arguments: str, timeout_seconds: int = 600) -> str:
        """Run docker compose on this stack."""
        command = ["docker", "compose", "--project-directory", self.folder, "--project-name", PROJECT]
        files = [str(self.folder / part) if part.endswith(".yaml") else part for part in self._files]
        return run(*command, *files, "--profile", "all", *arguments, env=self._environment, timeout_seconds=timeout_seconds)

    def config(self) -> dict[str, Any]:
        """The compose files as compose understands them."""
        found: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))
        return found

    def built_images(self) -> set[str]:
        """Images that are built from the project's Dockerfile."""
        return {service["image"] for service in self.config()["services"].values() if "build" in service}

    def foreign_images(self) -> set[str]:
        """The others."""
        return {service["image"] for service in self.config()["services"].values()} - self.built_images()

    def remove_built_images(self) -> None:
        """As on a machine that has only the sources: the next start builds them, out of the engine's cache if it can."""
        for image in self.built_images():
            if run("docker", "images", "--quiet", image, env=self._environment):
                run("docker", "rmi", "--force", image, env=self._environment)

    def up(self) -> None:
        """Start, after building what is not there, and wait until each service is healthy."""
        timeout_seconds = BUILD_SECONDS + READY_SECONDS
        self.compose("up", "--detach", "--wait", "--wait-timeout", str(READY_SECONDS), timeout_seconds=timeout_seconds)

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")

    def logs(self) -> str:
        """The last lines of each container."""
        return self.compose("ps", "--all") + self.compose("logs", "--no-color", "--tail", "60")

    def containers(self) -> dict[str, dict[str, Any]]:
        """What the engine knows of each container, by service."""
        names = self.compose("ps", "--all", "--quiet").split()
        found = json.loads(run("docker", "inspect", *names, env=self._environment))
        return {entry["Config"]["Labels"]["com.docker.compose.service"]: entry for entry in found}

    def crash(self, service: str) -> None:
        """Kill all processes of a container, as a crash would: the restart policy has to bring it back."""
        os.kill(self.containers()[service]["State"]["Pid"], signal.SIGKILL)

    def wait_until_healthy(self) -> None:
        """Wait until each service that stays is healthy again."""

        def unhealthy() -> dict[str, str]:
            states = {name: entry["State"] for name, entry in self.containers().items()}
            return {
                name: state["Status"]
                for name, state in states.items()
                if state.get("Health", {}).get("Status") != "healthy"
                and not (state["Status"] == "exited" and state["ExitCode"] == 0)
            }

        wait_for(lambda: not unhealthy(), READY_SECONDS, "every service healthy")

    def secret(self, name: str) -> str:
        """A secret that `make env` made."""
        return (self.folder / "secrets" / name).read_text().strip()

    def setting(self, name: str) -> str:
        """A setting of .env."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)[name]

    def connect(self, role: str = "kafka_reader", database: str = "kafka_streaming", **options: str) -> psycopg.Connection:
        """Connect to PostgreSQL's published port."""
        chosen = {"host": ADDRESS, "password": self.secret(f"{role}_password"), **options}
        return psycopg.connect(user=role, dbname=database, connect_timeout=5, autocommit=True, **chosen)

    def messages(self, topic: str, settings: Mapping[str, str] | None = None) -> int:
        """How many messages a topic with one partition holds, by Kafka's published port."""
        consumer = Consumer({"bootstrap.servers": f"{ADDRESS}:9092", "group.id": "batchstream-test", **(settings or {})})
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)
        finally:
            consumer.close()
        return int(high - low)
