"""A Spark standalone cluster of one master and some workers, as child processes."""

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pyspark

from batchstream.local import ports
from batchstream.local.installation import Installation
from tests.support.waiting import wait_for


class Cluster:
    """A cluster in a folder of its own; with a folder for ``SPARK_CONF_DIR``, the settings that are there."""

    def __init__(self, installation: Installation, name: str = "cluster", workers: int = 2, conf: Path | None = None) -> None:
        self._installation = installation
        self._folder = installation.state / name
        self._workers = workers
        self.environment = {} if conf is None else {"SPARK_CONF_DIR": str(conf)}
        self._web_port = ports.any_free()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = f"spark://{ports.LOOPBACK}:{ports.any_free()}"

    def start(self) -> None:
        self._folder.mkdir()
        host, port = self.url.removeprefix("spark://").split(":")
        listen = ["--host", host, "--port"]
        self._run("master.Master", *listen, port, "--webui-port", str(self._web_port))
        for number in range(1, self._workers + 1):
            work = self._folder / f"work-{number}"
            self._run("worker.Worker", *listen, "0", "--webui-port", "0", "--cores", "1", "-m", "1g", "-d", str(work), self.url)
        wait_for(lambda: len(self.state()["workers"]) == self._workers, 60, "all workers at the master")

    def _run(self, name: str, *arguments: str) -> None:
        environment = self._installation.environment()
        java = Path(environment["JAVA_HOME"]) / "bin" / "java"
        jars = Path(pyspark.__file__).parent / "jars" / "*"
        # Spark says itself which packages it opens; outside of spark-submit they have to be given.
        options = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--add-opens=java.base/java.nio=ALL-UNNAMED"]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [java, *options, "-cp", str(jars), f"org.apache.spark.deploy.{name}", *arguments],
                    env={
                        **environment,
                        **self.environment,
                        "SPARK_LOCAL_IP": ports.LOOPBACK,
                        "SPARK_HOME": str(jars.parent.parent),
                        "SPARK_SCALA_VERSION": "2.13",
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )

    def state(self) -> dict[str, Any]:
        """What the master knows of its workers and applications."""
        with urllib.request.urlopen(f"http://{ports.LOOPBACK}:{self._web_port}/json/", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def connection(self) -> dict[str, Any]:
        """The Airflow connection that sends an application here: the local one with another master."""
        local = json.loads(self._installation.environment()["AIRFLOW_CONN_BATCHSTREAM_SPARK"])
        return {**local, "host": self.url, "extra": {**local["extra"], "executor_memory": "512m"}}

    def kill_worker(self, executor: int) -> None:
        """Kill the worker of an executor and the executor itself, as the end of their machine would."""
        worker = next(process for process in self._processes if process.pid == psutil.Process(executor).ppid())
        worker.kill()
        os.kill(executor, signal.SIGKILL)

    def executors(self) -> list[int]:
        """Process ids of the executors that run now."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if b"CoarseGrainedExecutorBackend" in command and self._owns(entry):
                    found.append(int(entry.name))
        return found

    def _owns(self, process: Path) -> bool:
        try:
            return (process / "cwd").readlink().is_relative_to(self._folder)
        except OSError:
            return False

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(30)
