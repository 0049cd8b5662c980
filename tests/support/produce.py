"""Runs the operator of produce_batches in this process, and does something to it after some batches.

Arguments: state folder, contract, load, batches before the fault, fault (none, killed, broker_killed).
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from batchstream.contract import load_contract
from batchstream.services.installation import Installation
from reload import produce


def main(state: str, contract: str, load_id: str, batches: str, fault: str) -> None:
    messages = produce.load_messages
    topic = load_contract(Path(contract)).topic.name
    installation = Installation(Path(state))
    servers = installation.kafka.bootstrap_servers

    def faulty(*arguments: Any) -> Iterator[tuple[bytes, bytes]]:
        for number, message in enumerate(messages(*arguments), 1):
            yield message
            if number == int(batches):
                _wait_until_sent(servers, topic, number)
                if fault == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                elif fault == "broker_killed":
                    installation.kafka.kill()

    produce.load_messages = faulty
    operator = produce.ProduceBatchesOperator(
        task_id="produce_batches", contract=load_contract(Path(contract)), load_id=int(load_id)
    )
    operator.execute({})


def _wait_until_sent(servers: str, topic: str, messages: int) -> None:
    """The client sends in the background; wait until the broker has it."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "tests"})
    # The six messages of an earlier load are in the topic already.
    while consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1] < 6 + messages:
        time.sleep(0.05)
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
