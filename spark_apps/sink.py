"""Lands micro-batches: on the driver when the load is small, on the executors when it is large. One way for both."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from batchstream.consumer_group import group_id
from batchstream.contract import load_contract
from batchstream.errors import BatchstreamError, SinkError
from batchstream.postgres import ledger
from batchstream.postgres.connection import connect
from batchstream.postgres.landing import Landed, Lander, Message
from spark_apps.checkpoints import checkpoint_folder, noted_offsets
from spark_apps.fetch import fetch
from spark_apps.job import Job
from spark_apps.spans import Span, between, share

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MESSAGES_PER_TRANSACTION = 200
"""20,000 records a COPY: the memory of a task stays flat however large its share of the micro-batch is."""

BYTES_PER_TRANSACTION = 16 * 1024 * 1024
"""Of the values of its messages: where they are large, it holds fewer of them."""

DRIVER_MESSAGES = 1_000
"""Loads of at most so many messages land on the driver: starting Python workers costs more than a second core saves."""

log = logging.getLogger(__name__)


@dataclass
class Sink:
    """What ``foreachBatch`` calls.

    Attributes:
        start_offsets: Where the load begins in each partition.
        total: What became of the messages of this attempt so far.
        error: Why the last micro-batch failed; Spark wraps it beyond recognition.
    """

    job: Job
    start_offsets: dict[int, int]
    connection: psycopg.Connection
    on_driver: bool
    total: Landed = field(default_factory=Landed)
    error: BatchstreamError | None = None

    def __call__(self, batch: "DataFrame", epoch: int) -> None:
        """Land one micro-batch and log a line of it. Spark's rows are not asked for: of the batch only its offsets count."""
        load_id = self.job.load_id
        try:
            spans = self._spans(batch.sparkSession, epoch)
            if self.on_driver:
                landed = land_spans(self.job, self.connection, spans)
            else:
                landed = self._land_on_executors(batch.sparkSession, spans)
                # Before Spark notes the micro-batch as done: what its tasks committed is on disk when this commit is.
                ledger.note_alive(self.connection, load_id)
        except psycopg.OperationalError as error:
            self.error = SinkError(f"load {load_id}: PostgreSQL ended the connection: {error}")
            raise self.error from error
        except BatchstreamError as error:
            self.error = error
            raise
        self.total = self.total.plus(landed)
        log.info(
            "micro-batch epoch=%d messages=%d records=%d landed=%d rejected=%d duplicates=%d other_loads=%d",
            epoch,
            *landed,
        )

    def _spans(self, spark: "SparkSession", epoch: int) -> list[Span]:
        folder = checkpoint_folder(self.job.checkpoints, load_contract(self.job.contract_path), self.job.load_id)
        begin = noted_offsets(spark, folder, epoch - 1) if epoch else self.start_offsets
        return between(begin, noted_offsets(spark, folder, epoch))

    def _land_on_executors(self, spark: "SparkSession", spans: list[Span]) -> Landed:
        context = spark.sparkContext
        pieces = share(spans, context.defaultParallelism)
        landed = context.parallelize(pieces, len(pieces)).map(_task(self.job)).collect()
        return Landed(*map(sum, zip(*landed, strict=True)))


def land_spans(job: Job, connection: psycopg.Connection, spans: Iterable[Span]) -> Landed:
    """Land the messages of spans, `MESSAGES_PER_TRANSACTION` or `BYTES_PER_TRANSACTION` at a time."""
    contract = load_contract(job.contract_path)
    group = group_id(contract.name)
    messages = (message for span in spans for message in fetch(job.kafka, contract.topic.name, span, group))
    return land_in_chunks(Lander(contract, job.load_id), connection, messages)


def land_in_chunks(lander: Lander, connection: psycopg.Connection, messages: Iterable[Message]) -> Landed:
    """Land messages, `MESSAGES_PER_TRANSACTION` or `BYTES_PER_TRANSACTION` at a time."""
    total = Landed()
    for chunk in _chunks(messages):
        total = total.plus(lander.land(connection, chunk))
    return total


def _chunks(messages: Iterable[Message]) -> Iterator[list[Message]]:
    chunk: list[Message] = []
    size = 0
    for message in messages:
        chunk.append(message)
        size += len(message.value or b"")
        if len(chunk) == MESSAGES_PER_TRANSACTION or size >= BYTES_PER_TRANSACTION:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _task(job: Job) -> Callable[[Span], Any]:
    """What a task does with its share of the micro-batch."""

    def land(span: Span) -> Landed:
        try:
            with connect(job.settings, application_name=f"batchstream load {job.load_id} executor") as connection:
                # No waiting for the disk after each chunk; the driver waits once for all of a micro-batch.
                connection.execute("SET synchronous_commit = off")
                connection.commit()
                return land_spans(job, connection, [span])
        except psycopg.OperationalError as error:
            raise SinkError(f"load {job.load_id}: PostgreSQL ended the connection: {error}") from error

    return land
