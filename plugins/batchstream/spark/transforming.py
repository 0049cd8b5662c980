"""Computes and lands micro-batches of a load with a transform: read, decode, compute, land. Each step is rows of Spark."""

import io
import logging
import pickle
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import psycopg
from pyspark.sql import functions

from batchstream.contract.model import Contract
from batchstream.errors import BatchstreamError, LoadError, SparkError
from batchstream.kafka.consumer_group import group_id
from batchstream.postgres import ledger
from batchstream.postgres.failures import as_ours
from batchstream.postgres.landing import Landed, Lander
from batchstream.records.messages import Message
from batchstream.spark.computed_messages import messages
from batchstream.spark.computing import SETTINGS, Types, check, compute
from batchstream.spark.decoding import decode
from batchstream.spark.failures import OneByOne
from batchstream.spark.fetch import fetch
from batchstream.spark.job import Load
from batchstream.spark.micro_batches import land_in_chunks, landing_in_task, last_try
from batchstream.spark.offset_ranges import OffsetRange
from batchstream.spark.spark_errors import SPARK_ERRORS, is_of_a_record, reason

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

log = logging.getLogger(__name__)

LARGE_SETTINGS = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}
"""Spark's own defaults: to compile an expression pays for very many records, and not for some hundred; see `session`."""

_UNREAD = re.compile(r"Could not read records in offset \[(\d+), (\d+)\) for topic partition [^\n]*-(\d+)")
"""How Spark's source says that messages are gone (KafkaDataConsumer)."""

_NO_CONNECTOR = re.compile(r"ClassNotFoundException: org\.apache\.(spark\.sql\.kafka010|kafka)\.")

MESSAGES_HERE = 200
"""As many are held at a time by the driver, in Java and in Python: at most 100 MiB. Larger loads are computed by tasks."""

OUTCOME = "outcome binary"
"""What a task tells of its share: a pickled `Landed`, or an error of ours."""


def prepared(spark: "SparkSession", contract: Contract, *, is_large: bool) -> Types:
    """Set a session to what expressions mean, and see that each is fit.

    Raises:
        LoadError: Spark refuses an expression, or Arrow is not installed.
    """
    require_arrow(contract)
    # It tells each error of an expression once more, with all stacks.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    for name, value in (*SETTINGS.items(), *(LARGE_SETTINGS.items() if is_large else ())):
        spark.conf.set(name, value)
    return check(contract, spark)


def require_arrow(contract: Contract) -> None:
    """See that what carries rows between Spark and Python is installed.

    Raises:
        LoadError: It is not.
    """
    if missing := [name for name in ("pyarrow", "pandas") if find_spec(name) is None]:
        raise LoadError(
            f"{contract.path}: Spark computes columns of this contract, and {' and '.join(missing)} is not installed where it "
            "runs; install batchstream[transforms] there"
        )


@dataclass
class TransformLander:
    """What ``foreachBatch`` calls.

    Attributes:
        found: Types of the derived columns.
        on_driver: Whether the load is so small that to start Python workers costs more than they save.
        total: What became of the messages of this attempt so far.
        error: Why the last micro-batch failed; Spark wraps it beyond recognition.
    """

    load: Load
    found: Types
    connection: psycopg.Connection
    on_driver: bool
    total: Landed = field(default_factory=Landed)
    error: BatchstreamError | None = None

    def __call__(self, batch: "DataFrame", epoch: int) -> None:
        """Compute and land one micro-batch, and log a line of it."""
        load_id = self.load.job.load_id
        began = time.monotonic()
        try:
            landed = self._land(batch, epoch)
            # Before Spark notes the micro-batch as done: what its tasks committed is on disk when this commit is.
            ledger.note_alive(self.connection, load_id)
        except psycopg.Error as error:
            self.error = as_ours(error, f"load {load_id}: landing it", self.connection)
            raise self.error from error
        except BatchstreamError as error:
            self.error = error
            raise
        self.total = self.total.plus(landed)
        seconds = max(time.monotonic() - began, 0.001)
        log.info(
            "micro-batch epoch=%d messages=%d records=%d landed=%d rejected=%d duplicates=%d other_loads=%d filtered=%d "
            "rows_in_per_second=%.0f rows_out_per_second=%.0f",
            epoch,
            *landed,
            landed.records / seconds,
            landed.landed / seconds,
        )

    def _land(self, batch: "DataFrame", epoch: int) -> Landed:
        contract = self.load.contract
        rows = compute(contract, self.found, decode(contract, batch))
        if epoch == 0:
            log.info("plan of the transform:\n%s", _plan(rows))
        try:
            if self.on_driver:
                return self._land_here(messages(contract.topic.name, rows.toArrow().to_batches()))
            return self._land_in_tasks(rows)
        except SPARK_ERRORS as error:
            if not is_of_a_record(error):
                raise self._explained(error) from error
        log.info("some records of micro-batch %d can't be computed: they are looked for", epoch)
        try:
            return self._land_one_by_one(batch)
        except SPARK_ERRORS as error:
            raise self._explained(error) from error

    def _explained(self, error: BaseException) -> BatchstreamError:
        """Why Spark gave up; of messages that it could not read, our own reader knows more."""
        load, found = self.load, _UNREAD.search(str(error))
        if _NO_CONNECTOR.search(str(error)):
            return SparkError(
                f"load {load.job.load_id}: executors lack the jars of Spark's Kafka connector, with which they read records of a "
                "contract with expressions: give the Spark connection spark.executor.extraClassPath, as docs/deploy.md shows"
            )
        if found:
            start, end, partition = map(int, found.groups())
            topic, group = load.contract.topic.name, group_id(load.contract.handle)
            try:
                deque(fetch(load.job.kafka, topic, OffsetRange(partition, start, end), group), maxlen=0)
            except BatchstreamError as ours:
                return ours
        return SparkError(f"load {load.job.load_id}: Spark gave up: {reason(error)}; see its log, and run again")

    def _land_here(self, found: Iterable[Message]) -> Landed:
        return land_in_chunks(Lander(self.load.contract, self.load.signer), self.connection, found)

    def _land_in_tasks(self, rows: "DataFrame") -> Landed:
        outcomes = rows.mapInArrow(_task(self.load, last_try(rows.sparkSession)), OUTCOME).collect()
        total = Landed()
        for (pickled,) in outcomes:
            # Of our own task.
            outcome = pickle.loads(pickled)  # noqa: S301
            if isinstance(outcome, BatchstreamError):
                raise outcome
            total = total.plus(outcome)
        return total

    def _land_one_by_one(self, batch: "DataFrame") -> Landed:
        """What tasks have landed already is passed over, by the inbox."""
        with OneByOne(batch.sparkSession, self.load.contract, self.found) as one_by_one:
            landed = Landed()
            for some in self._raw(batch):
                landed = landed.plus(self._land_here(one_by_one.messages(self.load.signer, some)))
            return landed

    def _raw(self, batch: "DataFrame") -> Iterator[list[Message]]:
        """The messages themselves, some at a time."""
        topic = self.load.contract.topic.name
        partitions = batch.groupBy("partition").agg(functions.min("offset"), functions.max("offset")).collect()
        for partition, first, last in sorted(partitions):
            for start in range(first, last + 1, MESSAGES_HERE):
                some = batch.where((batch["partition"] == partition) & batch["offset"].between(start, start + MESSAGES_HERE - 1))
                rows = some.select("offset", "key", "value").orderBy("offset").collect()
                yield [Message(topic, partition, offset, _bytes(key), _bytes(value)) for offset, key, value in rows]


def _bytes(value: bytearray | None) -> bytes | None:
    return None if value is None else bytes(value)


def _plan(rows: "DataFrame") -> str:
    with redirect_stdout(io.StringIO()) as shown:
        rows.explain()
    return shown.getvalue().rstrip()


def _task(load: Load, tries: int) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """What a task does with its rows."""
    run = landing_in_task(load, tries)

    def land(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow

        outcome = run(
            lambda connection: land_in_chunks(
                Lander(load.contract, load.signer), connection, messages(load.contract.topic.name, batches)
            )
        )
        yield pyarrow.record_batch({"outcome": pyarrow.array([pickle.dumps(outcome)], pyarrow.binary())})

    return land
