"""Lands micro-batches: on the driver when the load is small, on the executors when it is large. One `Lander` for both."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from batchstream.contract import load_contract
from batchstream.errors import BatchstreamError, SinkError
from batchstream.postgres import ledger
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.landing import Landed, Lander, Message

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

MESSAGES_PER_TRANSACTION = 200
"""20,000 records a COPY: the memory of a task stays flat however large its share of the micro-batch is."""

DRIVER_MESSAGES = 500
"""Loads of at most so many messages land on the driver: starting Python workers would cost more than it saves."""

COUNTS_SCHEMA = ", ".join(f"{name} bigint" for name in Landed._fields)

log = logging.getLogger(__name__)


@dataclass
class Sink:
    """What ``foreachBatch`` calls.

    Attributes:
        total: What became of the messages of this attempt so far.
        error: Why the last micro-batch failed; Spark wraps it beyond recognition.
    """

    contract_path: Path
    load_id: int
    settings: PostgresSettings
    connection: psycopg.Connection
    on_driver: bool
    total: Landed = field(default_factory=Landed)
    error: BatchstreamError | None = None

    def before(self, messages: "DataFrame") -> "DataFrame":
        """What the stream hands to `__call__`: the messages, or what became of them when executors land them.

        Here and not in ``foreachBatch``, which gets copies of its rows: of the counts then, and not of all messages.
        """
        if self.on_driver:
            return messages
        return messages.mapInArrow(_task(self.contract_path, self.load_id, self.settings), schema=COUNTS_SCHEMA)

    def __call__(self, batch: "DataFrame", epoch: int) -> None:
        """Land one micro-batch and log a line of it."""
        try:
            if self.on_driver:
                lander = Lander(load_contract(self.contract_path), self.load_id)
                landed = land_in_chunks(lander, self.connection, (Message(*row) for row in batch.collect()))
            else:
                landed = self._land_on_executors(batch)
                # Before Spark notes the micro-batch as done: what its tasks committed is on disk when this commit is.
                ledger.note_alive(self.connection, self.load_id)
        except psycopg.OperationalError as error:
            self.error = SinkError(f"load {self.load_id}: PostgreSQL ended the connection: {error}")
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

    def _land_on_executors(self, counts: "DataFrame") -> Landed:
        return Landed(*map(sum, zip(Landed(), *counts.collect(), strict=True)))


def land_in_chunks(lander: Lander, connection: psycopg.Connection, messages: Iterable[Message]) -> Landed:
    """Land messages, `MESSAGES_PER_TRANSACTION` at a time."""
    remaining = iter(messages)
    total = Landed()
    while chunk := list(islice(remaining, MESSAGES_PER_TRANSACTION)):
        total = total.plus(lander.land(connection, chunk))
    return total


def _task(contract_path: Path, load_id: int, settings: PostgresSettings):  # type: ignore[no-untyped-def]
    """What each executor task runs over its share of the messages."""

    def land(batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        import pyarrow as pa

        messages = (Message(*row) for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True))
        lander = Lander(load_contract(contract_path), load_id)
        try:
            with connect(settings, application_name=f"batchstream load {load_id} executor") as connection:
                # No waiting for the disk after each chunk; the driver waits once for all of a micro-batch.
                connection.execute("SET synchronous_commit = off")
                connection.commit()
                landed = land_in_chunks(lander, connection, messages)
        except psycopg.OperationalError as error:
            raise SinkError(f"load {load_id}: PostgreSQL ended the connection: {error}") from error
        yield pa.RecordBatch.from_pylist([landed._asdict()])

    return land
