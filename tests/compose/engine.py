"""A Docker engine: the one that answers, or one of our own with a data root below .batchstream."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from batchstream.paths import ROOT
from tests.compose.commands import CommandError, run

STATE = ROOT / ".batchstream" / "compose"
START_SECONDS = 60


class NoEngineError(Exception):
    """No engine can run here, and why."""


class Engine:
    """Where the engine listens, and its process if it was started here."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        # A socket's path may have 107 bytes, and a clone's own path may be longer than that.
        self._run = Path("/run") / f"batchstream-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
        self.host: str | None = None

    @property
    def own(self) -> bool:
        """Whether the engine has nobody's images but ours."""
        return self.host is not None

    @property
    def environment(self) -> dict[str, str]:
        """What makes docker's client talk to this engine."""
        return {"DOCKER_HOST": self.host} if self.host else {}

    def start(self) -> None:
        """Find an engine, or install and start one.

        Raises:
            NoEngineError: Neither is possible.
        """
        if _answers({}):
            return
        own = {"DOCKER_HOST": f"unix://{self._run}/docker.sock"}
        if not _answers(own):
            self._install()
            self._launch()
        self.host = own["DOCKER_HOST"]

    def stop(self) -> None:
        """Stop the engine if it was started here; its images stay for the next time."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        shutil.rmtree(self._run, ignore_errors=True)

    def _install(self) -> None:
        if os.geteuid() != 0:
            raise NoEngineError("no Docker engine answers, and starting one needs root")
        if shutil.which("dockerd"):
            return
        if not shutil.which("apt-get"):
            raise NoEngineError("no Docker engine answers, dockerd is not installed, and there is no apt-get to install it with")
        install("docker.io")

    def _launch(self) -> None:
        data = STATE / "engine"
        data.mkdir(parents=True, exist_ok=True)
        self._run.mkdir(exist_ok=True)
        log = STATE / "dockerd.log"
        command = ["dockerd", "--data-root", data, "--exec-root", self._run / "exec", "--pidfile", self._run / "docker.pid"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, "--host", f"unix://{self._run}/docker.sock"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A Ctrl-C is for pytest, which stops the containers before the engine.
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not _answers({"DOCKER_HOST": f"unix://{self._run}/docker.sock"}):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
                raise NoEngineError(f"dockerd does not start here; {log} ends with:\n{last}")
            time.sleep(0.2)


def install(*packages: str) -> None:
    """Install Debian packages.

    Raises:
        NoEngineError: They can't be had.
    """
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    try:
        run(*apt, "update")
        run(*apt, "install", "--no-install-recommends", *packages, env={"DEBIAN_FRONTEND": "noninteractive"})
    except CommandError as error:
        raise NoEngineError(f"Debian's packages {', '.join(packages)} can't be installed: {error}") from error


def _answers(environment: dict[str, str]) -> bool:
    try:
        run("docker", "version", "--format", "{{.Server.Version}}", env=environment, timeout_seconds=30)
    except (CommandError, FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return True
