"""Sends a load: reads its source, and is done when the broker has acknowledged every batch."""

import logging
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaException

from batchstream.errors import DeliveryError, errors_about
from batchstream.kafka.delivery import Acknowledged, deliver
from batchstream.kafka.errors import explained
from batchstream.load.engines import Engines
from batchstream.load.pinned import pinned_contract
from batchstream.load.spool import copied
from batchstream.postgres import ledger, source_files
from batchstream.postgres.connection import connect
from batchstream.postgres.failures import postgres_errors
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
        errors_about(load_id=load_id) as known,
        connect(engines.loader, application_name="batchstream produce_batches") as connection,
        postgres_errors(f"load {load_id}: noting what was produced", connection),
        ledger.working_on(connection, load_id),
    ):
        contract = pinned_contract(connection, load_id)
        known["dataset"] = contract.name
        attempt = ledger.begin_attempt(connection, load_id)
        signer = Signer(load_id, attempt, ledger.secret(connection, load_id))
        rejects = SourceRejects(connection, load_id, attempt)
        servers = engines.kafka.get("bootstrap.servers")
        with copied(contract, engines.places) as readable:
            source = SourceReader(readable, rejects.add)
            try:
                with rejects:
                    acknowledged = deliver(make_producer(), contract.topic.name, load_messages(signer, source))
            except KafkaException as error:
                with errors_about(topic=contract.topic.name):
                    raise explained(error.args[0], engines.kafka, contract.topic.name) from error
            except DeliveryError as error:
                raise DeliveryError(f"Kafka at {servers}: {error}") from error
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
