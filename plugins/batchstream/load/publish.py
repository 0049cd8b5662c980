"""Publishes a load whose checks are green."""

import logging

from batchstream.load.engines import Engines
from batchstream.load.step import one_step
from batchstream.postgres import ledger
from batchstream.postgres.publish.steps import Published, publish

log = logging.getLogger(__name__)


def publish_load(engines: Engines, load_id: int) -> Published:
    """Make what readers see equal to the landing, as the owning role: the loading one may not write what readers see.

    Raises:
        LoadError: A check is not green, the load was given up, or its records don't fit the target.
        SinkError: PostgreSQL gave up the transaction; the target is unchanged.
    """
    with one_step(engines.owner, load_id, "publish_load", "the publish") as (connection, contract):
        allowed = bool(ledger.read(connection, load_id)["run_parameters"].get("allow_changes"))
        published = publish(connection, contract, load_id, allow_deletes=allowed)
    log.info("load %d: %s", load_id, published)
    return published
