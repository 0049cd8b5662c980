"""How soon an idempotent producer has its answers, and how it sends; the rest is in the tests of the producer's faults."""

import time
from collections.abc import Callable

from confluent_kafka import Producer

from batchstream.delivery import deliver
from tests.support.pipeline import Pipeline

MESSAGES = [(b"key", b"value")] * 6


def best_of_three(send: Callable[[Producer], object], settings: dict[str, object]) -> float:
    """Seconds from a new producer to the last acknowledgement."""
    seconds = []
    for _ in range(3):
        producer = Producer(settings)
        begun = time.monotonic()
        send(producer)
        seconds.append(time.monotonic() - begun)
    return min(seconds)


def test_it_does_not_wait_for_the_client_to_ask_again_for_its_id(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    topic = pipeline.contract.topic.name

    def send_at_once(producer: Producer) -> None:
        for key, value in MESSAGES:
            producer.produce(topic, key=key, value=value)
        assert producer.flush(15) == 0

    settings: dict[str, object] = {"bootstrap.servers": pipeline.kafka["bootstrap.servers"], "enable.idempotence": True}
    ours = best_of_three(lambda producer: deliver(producer, topic, MESSAGES), settings)
    assert ours < best_of_three(send_at_once, settings) / 2


def test_the_broker_keeps_batches_compressed(pipeline: Pipeline) -> None:
    pipeline.create_topic(pipeline.open())
    messages, _ = pipeline.messages(1)
    pipeline.send(messages)
    logs = (pipeline.installation.kafka.folder / "data").glob(f"{pipeline.contract.topic.name}-*/*.log")
    assert 0 < sum(log.stat().st_size for log in logs) < sum(len(value) for _, value in messages) / 2
