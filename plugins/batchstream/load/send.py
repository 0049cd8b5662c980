"""Sends a load: reads its source, and is done when the broker has acknowledged every batch."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from confluent_kafka import KafkaException

from batchstream.contract import Contract
from batchstream.errors import DeliveryError, errors_about
from batchstream.kafka.delivery import Acknowledged, deliver
from batchstream.kafka.errors import explained
from batchstream.load.engines import Engines
from batchstream.load.spool import copied
from batchstream.load.step import one_step
from batchstream.postgres import ledger, source_files
from batchstream.postgres.source_rejects import SourceRejects
from batchstream.records.messages import Signer, load_messages
from batchstream.records.source_reader import SourceReader

log = logging.getLogger(__name__)


def send_load(engines: Engines, make_producer: Callable[[], Any], load_id: int) -> Acknowledged:
    """Send the batches of a load; a second try sends all of them again, and only one try's count.

    Args:
        engines: Where to.
        make_producer: Makes the ``confluent_kafka.Producer``.
        load_id: The load.

    Raises:
        SourceError: The source breaks its contract, or is not where it says.
        PlaceError: The source lies elsewhere, and could not be copied.
        DeliveryError: The broker did not acknowledge every batch.
        LoadError: The load was given up, or the source has changed since another try of it.
    """
    with (
        one_step(engines.loader, load_id, "produce_batches", "noting what was produced") as (connection, contract),
        copied(contract, engines.places) as readable,
    ):
        return send_batches(
            connection, readable, load_id, lambda batches: _deliver(engines, make_producer, contract.topic.name, batches)
        )


def send_batches(
    connection: psycopg.Connection,
    contract: Contract,
    load_id: int,
    deliver_all: Callable[[Iterable[tuple[bytes, bytes]]], Acknowledged],
) -> Acknowledged:
    """Read the source of a load, have its batches delivered, and note what was.

    Args:
        connection: Of the loading role.
        contract: The load's.
        load_id: The load.
        deliver_all: Takes key and value of each batch, and returns when all are acknowledged.

    Raises:
        SourceError: The source breaks its contract.
        DeliveryError: Not every batch was acknowledged.
        LoadError: The load was given up, or the source has changed since another try of it.
    """
    attempt = ledger.begin_attempt(connection, load_id)
    signer = Signer(load_id, attempt, ledger.secret(connection, load_id))
    rejects = SourceRejects(connection, load_id, attempt)
    source = SourceReader(contract.incoming, rejects.add)
    with rejects:
        acknowledged = deliver_all(load_messages(signer, source))
    if acknowledged.batches != source.batches:
        raise DeliveryError(
            f"{source.batches} batches were sent to topic '{contract.topic.name}', {acknowledged.batches} acknowledged"
        )
    source_files.note(connection, load_id, attempt, source.files)
    ledger.transition(
        connection,
        load_id,
        ledger.State.PRODUCED,
        attempt=attempt,
        source_sha256=source.sha256,
        source_records=source.records,
        source_rejected_records=source.rejected_records,
        produced_batches=acknowledged.batches,
        produced_records=source.records - source.rejected_records,
        acknowledged_offsets=acknowledged.offsets,
    )
    log.info(
        "%d batches acknowledged, of %d records, %d of them rejected: %s",
        acknowledged.batches,
        source.records,
        source.rejected_records,
        acknowledged.offsets,
    )
    return acknowledged


def _deliver(
    engines: Engines, make_producer: Callable[[], Any], topic: str, batches: Iterable[tuple[bytes, bytes]]
) -> Acknowledged:
    try:
        return deliver(make_producer(), topic, batches)
    except KafkaException as error:
        with errors_about(topic=topic):
            raise explained(error.args[0], engines.kafka, topic) from error
    except DeliveryError as error:
        raise DeliveryError(f"Kafka at {engines.kafka.get('bootstrap.servers')}: {error}") from error
