"""Runs the operator of produce_batches in this process, and does something to it after some batches.

Arguments: contract, load, batches before the fault, fault: none, killed, or the process id of a broker to kill.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from batchstream.airflow import produce
from batchstream.contract import load_contract
from batchstream.contract.model import Topic
from batchstream.kafka.topics import client_settings
from batchstream.load import send
from batchstream.paths import ROOT
from batchstream.records.messages import load_messages
from tests.support.pipeline import Pipeline


def run_operator(
    pipeline: Pipeline, load_id: int, fault: str | int = "none", *, after_batches: int = 3, timeout_seconds: int
) -> tuple[int, str]:
    """Exit status and output of this script; its connection gives up after some seconds instead of thirty."""
    environment = pipeline.installation.environment()
    kafka = {**pipeline.kafka, "message.timeout.ms": timeout_seconds * 1000}
    environment["AIRFLOW_CONN_BATCHSTREAM_KAFKA"] = json.dumps({"conn_type": "kafka", "extra": kafka})
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(pipeline.contract_path), str(load_id), str(after_batches), str(fault)],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def main(contract: str, load_id: str, batches: str, fault: str) -> None:
    topic = load_contract(Path(contract)).topic
    before = 0 if fault == "none" else _messages(topic)

    def faulty(*arguments: Any) -> Iterator[tuple[bytes, bytes]]:
        for number, message in enumerate(load_messages(*arguments), 1):
            yield message
            if number == int(batches) and fault != "none":
                # The client sends in the background; wait until the broker has it.
                while _messages(topic) < before + number:
                    time.sleep(0.05)
                os.kill(os.getpid() if fault == "killed" else int(fault), signal.SIGKILL)

    setattr(send, "load_messages", faulty)  # noqa: B010 - the name is the module's own import
    operator = produce.ProduceBatchesOperator(
        task_id="produce_batches", contract=load_contract(Path(contract)), load_id=int(load_id)
    )
    operator.execute({})


def _messages(topic: Topic) -> int:
    kafka = client_settings(json.loads(os.environ["AIRFLOW_CONN_BATCHSTREAM_KAFKA"])["extra"])
    consumer = Consumer({**kafka, "group.id": "tests"})
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    count = sum(consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in partitions)
    consumer.close()
    return count


if __name__ == "__main__":
    main(*sys.argv[1:])
