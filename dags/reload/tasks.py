"""The steps of a reload that are plain functions: open, topic, publish, close."""

import logging
from typing import Any

from psycopg.types.json import Jsonb

from batchstream.contract import Contract
from batchstream.postgres import ledger, opening, publish
from batchstream.records.source import check_header
from batchstream.topics import ensure_topic
from reload.connections import POSTGRES, POSTGRES_OWNER, kafka_settings, postgres
from reload.edge import at_edge

log = logging.getLogger(__name__)


@at_edge
def open_load(contract: Contract, run_id: str) -> int:
    """Check the source's header, make missing tables, open the ledger row."""
    check_header(contract)
    with postgres(POSTGRES_OWNER, "open_load") as connection:
        opening.make_tables(connection, contract)
        return opening.open_load(connection, contract, run_id)


@at_edge
def create_topic(contract: Contract, load_id: int) -> None:
    """Make the topic, or compare it with the contract, and note where this load starts in it."""
    with postgres(POSTGRES, "create_topic") as connection, ledger.working_on(connection, load_id):
        state = ensure_topic(kafka_settings(), contract.topic)
        with connection.transaction():
            ledger.transition(
                connection,
                load_id,
                ledger.State.OPENED,
                topic_id=state.topic_id,
                start_offsets=Jsonb({str(partition): offset for partition, offset in state.end_offsets.items()}),
            )
        log.info("topic %s, load %d starts at %s", contract.topic.name, load_id, state.end_offsets)


@at_edge
def publish_load(contract: Contract, load_id: int) -> dict[str, int]:
    """Make the target equal to the landing."""
    with postgres(POSTGRES_OWNER, "publish_load") as connection, ledger.working_on(connection, load_id):
        published = publish.publish(connection, contract, load_id)
    log.info("load %d: %s", load_id, published)
    return published._asdict()


@at_edge
def close_load(load_id: int | None, failed_tasks: list[str]) -> str:
    """Close the ledger row whatever happened."""
    if load_id is None:
        return "no load was opened"
    reason = f"failed: {', '.join(failed_tasks)}" if failed_tasks else None
    with postgres(POSTGRES, "close_load") as connection:
        return str(ledger.close(connection, load_id, reason=reason))


def failed_tasks(ti: Any, dag_id: str, run_id: str) -> list[str]:
    """Names of the tasks of a run that failed."""
    states = ti.get_task_states(dag_id=dag_id, run_ids=[run_id]).get(run_id, {})
    return sorted(task_id for task_id, state in states.items() if state in ("failed", "upstream_failed"))
