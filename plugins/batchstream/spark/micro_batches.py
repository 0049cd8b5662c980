"""Lands micro-batches: on the driver when the load is small, on the executors when it is large. One way for both."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from batchstream.errors import BatchstreamError, FetchError, TerminalError
from batchstream.kafka.consumer_group import group_id
from batchstream.postgres import ledger
from batchstream.postgres.connection import connect
from batchstream.postgres.failures import as_ours
from batchstream.postgres.landing import Landed, Lander
from batchstream.records.messages import Message
from batchstream.spark.checkpoints import noted_offsets
from batchstream.spark.fetch import fetch
from batchstream.spark.job import Load
from batchstream.spark.offset_ranges import OffsetRange, between, share

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
class MicroBatchLander:
    """What ``foreachBatch`` calls.

    Attributes:
        start_offsets: Where the load begins in each partition.
        total: What became of the messages of this attempt so far.
        error: Why the last micro-batch failed; Spark wraps it beyond recognition.
    """

    load: Load
    start_offsets: dict[int, int]
    connection: psycopg.Connection
    on_driver: bool
    total: Landed = field(default_factory=Landed)
    error: BatchstreamError | None = None

    def __call__(self, batch: "DataFrame", epoch: int) -> None:
        """Land one micro-batch and log a line of it. Spark's rows are not asked for: of the batch only its offsets count."""
        load_id = self.load.job.load_id
        try:
            ranges = self._ranges(batch.sparkSession, epoch)
            if self.on_driver:
                landed = land_ranges(self.load, self.connection, ranges)
            else:
                landed = self._land_on_executors(batch.sparkSession, ranges)
                # Before Spark notes the micro-batch as done: what its tasks committed is on disk when this commit is.
                ledger.note_alive(self.connection, load_id)
        except psycopg.Error as error:
            self.error = as_ours(error, f"load {load_id}: landing it", self.connection)
            raise self.error from error
        except BatchstreamError as error:
            self.error = error
            raise
        self.total = self.total.plus(landed)
        log.info(
            "micro-batch epoch=%d messages=%d records=%d landed=%d rejected=%d duplicates=%d other_loads=%d filtered=%d",
            epoch,
            *landed,
        )

    def _ranges(self, spark: "SparkSession", epoch: int) -> list[OffsetRange]:
        begin = noted_offsets(spark, self.load.checkpoint, epoch - 1) if epoch else self.start_offsets
        return between(begin, noted_offsets(spark, self.load.checkpoint, epoch))

    def _land_on_executors(self, spark: "SparkSession", ranges: list[OffsetRange]) -> Landed:
        context = spark.sparkContext
        pieces = share(ranges, context.defaultParallelism)
        outcomes = context.parallelize(pieces, len(pieces)).map(_task(self.load, last_try(spark))).collect()
        for outcome in outcomes:
            if isinstance(outcome, BatchstreamError):
                raise outcome
        return Landed(*map(sum, zip(*outcomes, strict=True)))


def land_ranges(load: Load, connection: psycopg.Connection, ranges: Iterable[OffsetRange]) -> Landed:
    """Land the messages of some ranges, `MESSAGES_PER_TRANSACTION` or `BYTES_PER_TRANSACTION` at a time."""
    group = group_id(load.contract.handle)
    messages = (message for one in ranges for message in fetch(load.job.kafka, load.contract.topic.name, one, group))
    return land_in_chunks(Lander(load.contract, load.signer), connection, messages)


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


def last_try(spark: "SparkSession") -> int:
    """Which try of a task is its last one; local Spark tries a task once."""
    context = spark.sparkContext
    is_local = str(context.master).startswith("local")
    return 1 if is_local else int(str(context.getConf().get("spark.task.maxFailures", "4")))


def _task(load: Load, tries: int) -> Callable[[OffsetRange], Landed | BatchstreamError]:
    """What a task does with its share of the micro-batch."""
    run = landing_in_task(load, tries)
    return lambda offsets: run(lambda connection: land_ranges(load, connection, [offsets]))


def landing_in_task(load: Load, tries: int) -> Callable[[Callable[[psycopg.Connection], Landed]], Landed | BatchstreamError]:
    """Runs what lands a task's share, with a connection of its own.

    An error that no retry mends, or that of the last try, is returned: Spark would wrap one that is raised beyond recognition.
    So is a broker's silence, after a minute of waiting: the retry of the whole step looks at the topic first.
    """

    def run(land: Callable[[psycopg.Connection], Landed]) -> Landed | BatchstreamError:
        from pyspark import TaskContext

        try:
            with connect(load.job.settings, application_name=f"batchstream load {load.job.load_id} executor") as connection:
                # No waiting for the disk after each chunk; the driver waits once for all of a micro-batch.
                connection.execute("SET synchronous_commit = off")
                return land(connection)
        except (BatchstreamError, psycopg.Error) as error:
            ours = error if isinstance(error, BatchstreamError) else as_ours(error, f"load {load.job.load_id}: landing it")
            context = TaskContext.get()
            is_in_vain = isinstance(ours, (TerminalError, FetchError))
            if is_in_vain or context is None or context.attemptNumber() + 1 >= tries:
                return ours
            raise ours from error

    return run
