"""When an idempotent producer begins to send, and how; the rest is in the tests of the producer's faults."""

import subprocess
import sys

from tests.support.pipeline import Pipeline

PROCESSES = 30
"""Of producers that ask for the topic once, some (here one in twelve) begin over the connection to the bootstrap server, which
they are about to give up."""

SEND = """
import sys
from confluent_kafka import Producer
from batchstream.delivery import deliver

def messages():
    print("the first message is taken", file=sys.stderr, flush=True)
    yield b"key", b"value"

deliver(Producer({"bootstrap.servers": sys.argv[1], "enable.idempotence": True, "debug": "broker"}), sys.argv[2], messages())
"""


def test_it_is_connected_before_it_sends_and_need_not_ask_twice_for_its_id(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    command = [sys.executable, "-c", SEND, pipeline.kafka["bootstrap.servers"], pipeline.contract.topic.name]
    for _ in range(PROCESSES):
        logged = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr
        before, taken, _ = logged.partition("the first message is taken")
        assert taken
        assert any("-> UP" in line and "/bootstrap:" not in line for line in before.splitlines())


def test_the_broker_keeps_batches_compressed(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    messages, _ = pipeline.messages(1)
    pipeline.send(messages)
    logs = (pipeline.installation.kafka.folder / "data").glob(f"{pipeline.contract.topic.name}-*/*.log")
    assert 0 < sum(log.stat().st_size for log in logs) < sum(len(value) for _, value in messages) / 2
