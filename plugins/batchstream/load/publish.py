"""Publishes a load whose checks are green."""

import logging

from batchstream.errors import errors_about
from batchstream.load.engines import Engines
from batchstream.load.pinned import pinned_contract
from batchstream.postgres import ledger
from batchstream.postgres.connection import connect
from batchstream.postgres.failures import postgres_errors
from batchstream.postgres.publish.steps import Published, publish

log = logging.getLogger(__name__)


def publish_load(engines: Engines, load_id: int) -> Published:
    """Make what readers see equal to the landing, as the owning role: the loading one may not write what readers see.

    Raises:
        LoadError: A check is not green, the load was given up, or its records don't fit the target.
        SinkError: PostgreSQL gave up the transaction; the target is unchanged.
    """
    with (
        errors_about(load_id=load_id) as known,
        connect(engines.owner, application_name="batchstream publish_load") as connection,
        postgres_errors(f"load {load_id}: the publish", connection),
        ledger.working_on(connection, load_id),
    ):
        contract = pinned_contract(connection, load_id)
        known["dataset"] = contract.name
        allowed = bool(ledger.read(connection, load_id)["run_parameters"].get("allow_changes"))
        published = publish(connection, contract, load_id, allow_deletes=allowed)
    log.info("load %d: %s", load_id, published)
    return published
