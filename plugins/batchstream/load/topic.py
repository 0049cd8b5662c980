"""Sees to a load's topic, and notes where in it the load begins."""

import logging

from batchstream.kafka.topics import ensure_topic
from batchstream.load.engines import Engines
from batchstream.load.step import one_step
from batchstream.postgres import ledger

log = logging.getLogger(__name__)


def create_topic(engines: Engines, load_id: int) -> None:
    """Make the topic, or compare it with the contract, and note where this load starts in it.

    Raises:
        TopicError: The topic is not what the contract says.
        DeliveryError: The broker can't be reached.
        LoadError: The load was given up.
    """
    with one_step(engines.loader, load_id, "create_topic", "noting its topic") as (connection, contract):
        state = ensure_topic(engines.kafka, contract.topic)
        ledger.transition(
            connection,
            load_id,
            ledger.State.OPENED,
            topic_id=state.topic_id,
            start_offsets={str(partition): offset for partition, offset in state.end_offsets.items()},
        )
        log.info("topic %s, load %d starts at %s", contract.topic.name, load_id, state.end_offsets)
