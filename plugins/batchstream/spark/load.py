"""Consumes one load: its messages from the topic into its landing, and what became of them into the ledger."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from batchstream.contract import Contract
from batchstream.errors import BatchstreamError, SparkError, TerminalError, TopicError, errors_about
from batchstream.kafka.consumer_group import show_consumed
from batchstream.kafka.topics import identity
from batchstream.load import pinned
from batchstream.postgres import columns, ledger
from batchstream.postgres import connection as postgres
from batchstream.postgres.failures import postgres_errors
from batchstream.postgres.landing import Landed
from batchstream.records.messages import Signer
from batchstream.spark import stream
from batchstream.spark.checkpoints import checkpoint_folder, remove_old_checkpoints
from batchstream.spark.job import Job, Load
from batchstream.spark.micro_batches import DRIVER_MESSAGES, MicroBatchLander
from batchstream.spark.quick_start.workers import start_workers

if TYPE_CHECKING:
    from batchstream.spark.transforming import TransformLander

log = logging.getLogger(__name__)


def consume_load(job: Job, get_spark: Callable[[], SparkSession]) -> Landed:
    """Land one load, and tell the ledger; what fails is noted there.

    Args:
        job: What to consume.
        get_spark: Gives a session, or waits for it; called when the load is known to be fit.

    Raises:
        BatchstreamError: See the message.
    """
    with (
        errors_about(load_id=job.load_id),
        postgres.connect(job.settings, application_name=f"batchstream load {job.load_id} driver") as connection,
    ):
        try:
            with postgres_errors(f"load {job.load_id}: landing it", connection), ledger.working_on(connection, job.load_id):
                return _consume(connection, job, get_spark)
        except BatchstreamError as error:
            # The server may be what failed; then the task's own connection tells the ledger later.
            with suppress(psycopg.Error):
                ledger.note_failure(connection, job.load_id, str(error), for_good=isinstance(error, TerminalError))
            raise


def _consume(connection: psycopg.Connection, job: Job, get_spark: Callable[[], SparkSession]) -> Landed:
    with connection.transaction():
        ledger.require_state(connection, job.load_id, ledger.State.PRODUCED, ledger.State.LANDED)
        row = ledger.read(connection, job.load_id)
    load = _load(connection, job, row)
    with errors_about(dataset=load.contract.name):
        return _land(connection, load, row, get_spark)


def _land(connection: psycopg.Connection, load: Load, row: dict[str, Any], get_spark: Callable[[], SparkSession]) -> Landed:
    job = load.job
    # COPY BINARY takes the bytes of another type of the same width without a word.
    columns.compare_landing(connection, load.contract, job.load_id)
    _require_same_topic(job.kafka, load.contract, row)
    planned = _planned_messages(row)
    spark: SparkSession
    lander: MicroBatchLander | TransformLander
    if load.contract.transform is None:
        spark, lander = _direct(connection, load, row, get_spark, on_driver=planned <= DRIVER_MESSAGES)
    else:
        spark, lander = _transforming(connection, load, get_spark, planned)
    _run(spark, load, row, lander)
    # Once more: it may have been deleted and made anew between the first look and the reading.
    _require_same_topic(job.kafka, load.contract, row)
    with connection.transaction():
        counts = {**_counts(connection, job.load_id), "messages_of_other_loads": lander.total.other_loads}
        ledger.transition(connection, job.load_id, ledger.State.LANDED, **counts)
    remove_old_checkpoints(spark, job.checkpoints, load.contract.handle, job.load_id)
    landed = {int(partition): last + 1 for partition, (_, last) in row["acknowledged_offsets"].items()}
    show_consumed(job.kafka, row["topic"], load.contract.handle, landed)
    log.info("load %d: %s", job.load_id, lander.total._asdict())
    return lander.total


def _direct(
    connection: psycopg.Connection, load: Load, row: dict[str, Any], get_spark: Callable[[], SparkSession], *, on_driver: bool
) -> tuple[SparkSession, MicroBatchLander]:
    start_offsets = {int(partition): offset for partition, offset in row["start_offsets"].items()}
    lander = MicroBatchLander(load, start_offsets, connection, on_driver)
    spark = get_spark()
    if not on_driver:
        start_workers(spark)
    return spark, lander


def _transforming(
    connection: psycopg.Connection, load: Load, get_spark: Callable[[], SparkSession], planned: int
) -> tuple[SparkSession, "TransformLander"]:
    # Only here: a load without a transform needs neither Arrow nor Spark's functions.
    from batchstream.spark.transforming import MESSAGES_HERE, TransformLander, prepared

    on_driver = planned <= min(DRIVER_MESSAGES, MESSAGES_HERE)
    spark = get_spark()
    found = prepared(spark, load.contract, is_large=not on_driver)
    if not on_driver:
        start_workers(spark)
    return spark, TransformLander(load, found, connection, on_driver)


def _load(connection: psycopg.Connection, job: Job, row: dict[str, Any]) -> Load:
    contract = pinned.of_row(row)
    return Load(
        job=job,
        contract=contract,
        signer=Signer(job.load_id, row["attempt"] or 0, ledger.secret(connection, job.load_id)),
        checkpoint=checkpoint_folder(job.checkpoints, contract.handle, job.load_id, row["opened_at"]),
    )


def _run(spark: SparkSession, load: Load, row: dict[str, Any], lander: "MicroBatchLander | TransformLander") -> None:
    # Without a transform Spark's rows are not asked for.
    tasks = 1 if load.contract.transform is None or lander.on_driver else spark.sparkContext.defaultParallelism
    messages = stream.read_topic(spark, load.job.kafka, row["topic"], row["start_offsets"], tasks)
    try:
        (
            messages.writeStream.queryName(f"{load.contract.handle} load {load.job.load_id}")
            .trigger(availableNow=True)
            .option("checkpointLocation", load.checkpoint)
            .foreachBatch(lander)
            .start()
            .awaitTermination()
        )
    except StreamingQueryException as error:
        if lander.error is not None:
            raise lander.error from error
        # Of a broker or a topic that is gone Spark says less than they do.
        _require_same_topic(load.job.kafka, load.contract, row)
        # The first line is its reason; the plan that follows is in its log.
        reason = str(error).split("\n", 1)[0]
        raise SparkError(f"load {load.job.load_id}: Spark gave up: {reason}; see its log, and run again") from error


def _require_same_topic(kafka: dict[str, Any], contract: Contract, load: dict[str, Any]) -> None:
    found = identity(kafka, contract.topic)
    if found.topic_id != load["topic_id"]:
        raise TopicError(
            f"topic '{load['topic']}' was deleted and made anew since load {load['load_id']} began "
            f"(its id was {load['topic_id']}, now it is {found.topic_id}): the offsets of the load mean nothing in it; start a "
            "new run"
        )
    if found.partitions != len(load["start_offsets"]):
        raise TopicError(
            f"topic '{load['topic']}' has {found.partitions} partitions, and {len(load['start_offsets'])} when load "
            f"{load['load_id']} began: write topicPartitions: {found.partitions} into {contract.path}, or delete the topic so "
            "that it is made anew; then start a new run"
        )


def _planned_messages(load: dict[str, Any]) -> int:
    """Messages from where the load began to its last acknowledged one, those of failed tries included."""
    return sum(last + 1 - load["start_offsets"][partition] for partition, (_, last) in load["acknowledged_offsets"].items())


def _counts(connection: psycopg.Connection, load_id: int) -> dict[str, int]:
    row = connection.execute(
        "SELECT count(*), coalesce(sum(records), 0)::bigint, coalesce(sum(landed), 0)::bigint, "
        "coalesce(sum(filtered), 0)::bigint, "
        # Those of the source are counted by the producer, which doesn't keep all of very many.
        "(SELECT count(*) FROM batchstream.quarantine AS q "
        "WHERE q.load_id = %(load_id)s AND q.source_path IS NULL AND q.record_id IS NOT NULL) + "
        # Of foreign messages the quarantine has the first ones.
        "(SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM batchstream.rejected_messages AS m, unnest(m.offsets) AS r "
        "WHERE m.load_id = %(load_id)s) + "
        "(SELECT source_rejected_records FROM batchstream.loads AS l WHERE l.load_id = %(load_id)s) "
        "FROM batchstream.batches WHERE load_id = %(load_id)s",
        {"load_id": load_id},
    ).fetchone()
    names = ("consumed_batches", "consumed_records", "landed_records", "filtered_records", "quarantined_records")
    return dict(zip(names, row or (), strict=True))
