"""CPU time is counted of processes below this one, and told apart by what they are."""

import subprocess
import sys
import time

import pytest

from benchmarks.cpu import Cpu, kind


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["/usr/bin/java", "-cp", "kafka-clients.jar", "kafka.Kafka", "server.properties"], "Kafka"),
        (
            ["java", "org.apache.spark.deploy.SparkSubmit", "--conf", "spark.python.daemon.module=batchstream.spark.daemon"],
            "JVM",
        ),
        (["python", "-m", "batchstream.spark.daemon", "pyspark.worker"], "Python of the executors"),
        (["postgres: batchstream kafka_streaming COPY"], "PostgreSQL"),
        (["python", "spark_apps/consume.py", "--load-id", "1"], "Python"),
    ],
)
def test_a_process_is_told_by_its_command_line(command: list[str], name: str) -> None:
    assert kind(command) == name


def test_a_process_that_has_ended_counts_and_what_was_used_before_does_not() -> None:
    # Each is busy for half a second of CPU, then idle until it is told to end.
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
    command = [sys.executable, "-c", busy]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as before:
        assert before.stdout is not None
        before.stdout.readline()
        watch = Cpu()
        watch.start()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as during:
            assert during.stdout is not None
            during.stdout.readline()
            time.sleep(0.5)
            during.communicate(b"\n")
        watch.done.set()
        watch.join()
        assert 0.4 < watch.used()["Python"] < 0.8
        before.communicate(b"\n")
