"""Consumes one load: its messages from the topic into its landing, and what became of them into the ledger."""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from batchstream.consumer_group import show_consumed
from batchstream.contract import Contract, load_contract
from batchstream.errors import (
    BatchstreamError,
    ConnectionSettingsError,
    FetchError,
    LoadError,
    SinkError,
    SparkError,
    TopicError,
)
from batchstream.postgres import connection as postgres
from batchstream.postgres import ledger
from batchstream.postgres.landing import Landed
from batchstream.topics import topic_id
from spark_apps import source
from spark_apps.checkpoints import checkpoint_folder, remove_old_checkpoints
from spark_apps.job import Job
from spark_apps.sink import DRIVER_MESSAGES, Sink
from spark_apps.workers import start_workers

log = logging.getLogger(__name__)


def consume_load(job: Job, get_spark: Callable[[], SparkSession]) -> Landed:
    """Land one load, and tell the ledger; what fails is noted there.

    Args:
        job: What to consume.
        get_spark: Gives a session, or waits for it; called when the load is known to be fit.

    Raises:
        BatchstreamError: See the message.
    """
    with postgres.connect(job.settings, application_name=f"batchstream load {job.load_id} driver") as connection:
        try:
            with ledger.working_on(connection, job.load_id):
                return _consume(connection, job, get_spark)
        except psycopg.OperationalError as error:
            raise SinkError(f"load {job.load_id}: PostgreSQL ended the connection: {error}") from error
        except BatchstreamError as error:
            # The server may be what failed; then the task's own connection tells the ledger later.
            with suppress(psycopg.OperationalError), connection.transaction():
                ledger.note_failure(connection, job.load_id, str(error))
            raise


def _consume(connection: psycopg.Connection, job: Job, get_spark: Callable[[], SparkSession]) -> Landed:
    contract = load_contract(job.contract_path)
    with connection.transaction():
        ledger.require_state(connection, job.load_id, ledger.State.PRODUCED, ledger.State.LANDED)
        load = ledger.read(connection, job.load_id)
    _require_same_topic(job.kafka, contract, load)
    sink = Sink(
        job=job,
        start_offsets={int(partition): offset for partition, offset in load["start_offsets"].items()},
        connection=connection,
        on_driver=_planned_messages(load) <= DRIVER_MESSAGES,
    )
    spark = get_spark()
    if not sink.on_driver:
        start_workers(spark)
    _run(spark, job, contract, load, sink)
    remove_old_checkpoints(spark, job.checkpoints, contract, job.load_id)
    with connection.transaction():
        counts = {**_counts(connection, job.load_id), "messages_of_other_loads": sink.total.other_loads}
        ledger.transition(connection, job.load_id, ledger.State.LANDED, **counts)
    landed = {int(partition): last + 1 for partition, (_, last) in load["acknowledged_offsets"].items()}
    show_consumed(job.kafka, load["topic"], contract.name, landed)
    log.info("load %d: %s", job.load_id, sink.total._asdict())
    return sink.total


def _run(spark: SparkSession, job: Job, contract: Contract, load: dict[str, Any], sink: Sink) -> None:
    messages = source.stream(spark, job.kafka, load["topic"], load["start_offsets"])
    try:
        (
            messages.writeStream.queryName(f"{contract.name} load {job.load_id}")
            .trigger(availableNow=True)
            .option("checkpointLocation", checkpoint_folder(job.checkpoints, contract, job.load_id))
            .foreachBatch(sink)
            .start()
            .awaitTermination()
        )
    except StreamingQueryException as error:
        raise sink.error or _cause(job.load_id, str(error)) from error


def _cause(load_id: int, text: str) -> BatchstreamError:
    """What an executor raised, out of Spark's account of it; Spark's own words if it was none of our errors."""
    kinds = {kind.__name__: kind for kind in (LoadError, SinkError, FetchError, ConnectionSettingsError)}
    for name, message in re.findall(r"batchstream\.errors\.(\w+): (.+)", text):
        if name in kinds:
            return kinds[name](message)
    return SparkError(f"load {load_id}: Spark gave up: {text}")


def _require_same_topic(kafka: dict[str, Any], contract: Contract, load: dict[str, Any]) -> None:
    found = topic_id(kafka, contract.topic)
    if found != load["topic_id"]:
        raise TopicError(
            f"topic '{load['topic']}' was deleted and made anew since load {load['load_id']} began "
            f"(its id was {load['topic_id']}, now it is {found}): the offsets of the load mean nothing in it; start a new run"
        )


def _planned_messages(load: dict[str, Any]) -> int:
    """Messages from where the load began to its last acknowledged one, those of failed tries included."""
    return sum(last + 1 - load["start_offsets"][partition] for partition, (_, last) in load["acknowledged_offsets"].items())


def _counts(connection: psycopg.Connection, load_id: int) -> dict[str, int]:
    row = connection.execute(
        "SELECT count(*), coalesce(sum(records), 0)::bigint, coalesce(sum(landed), 0)::bigint, "
        "(SELECT count(*) FROM batchstream.quarantine AS q WHERE q.load_id = %(load_id)s) "
        "FROM batchstream.batches WHERE load_id = %(load_id)s",
        {"load_id": load_id},
    ).fetchone()
    names = ("consumed_batches", "consumed_records", "landed_records", "quarantined_records")
    return dict(zip(names, row or (), strict=True))
