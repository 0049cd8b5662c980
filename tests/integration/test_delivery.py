"""How soon an idempotent producer has its answers, and how it sends; the rest is in the tests of the producer's faults."""

import statistics
import time

from confluent_kafka import Producer

from batchstream.delivery import deliver
from tests.support.pipeline import Pipeline

MESSAGES = [(b"key", b"value")] * 6
ASKS_AGAIN_SECONDS = 0.5
"""librdkafka's own timer: so much later it asks again for the id that an idempotent producer needs."""


def test_it_does_not_wait_for_the_client_to_ask_again_for_its_id(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    settings = {"bootstrap.servers": pipeline.kafka["bootstrap.servers"], "enable.idempotence": True}
    seconds = []
    for _ in range(5):
        producer = Producer(settings)
        begun = time.monotonic()
        deliver(producer, pipeline.contract.topic.name, MESSAGES)
        seconds.append(time.monotonic() - begun)
    assert statistics.median(seconds) < ASKS_AGAIN_SECONDS


def test_the_broker_keeps_batches_compressed(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    messages, _ = pipeline.messages(1)
    pipeline.send(messages)
    logs = (pipeline.installation.kafka.folder / "data").glob(f"{pipeline.contract.topic.name}-*/*.log")
    assert 0 < sum(log.stat().st_size for log in logs) < sum(len(value) for _, value in messages) / 2
