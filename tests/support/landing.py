"""A load whose batches are produced, landed without Kafka and Spark."""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from batchstream.contract import Contract
from batchstream.postgres import ledger, names, opening, relations, tables
from batchstream.postgres.landing import Landed, Lander
from batchstream.postgres.ledger import State
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.messages import Message
from batchstream.records.source_reader import SourceReader
from batchstream.spark.micro_batches import land_in_chunks
from tests.support.pipeline import Pipeline

RECORDS = 506
BATCHES = 6


class Landing:
    """A load whose batches are produced: what may be landed, and what has landed."""

    def __init__(self, pipeline: Pipeline, admin: psycopg.Connection, contract: Contract) -> None:
        self.pipeline = pipeline
        self.admin = admin
        self.contract = contract
        with pipeline.connect(names.OWNER) as connection:
            tables.make_tables(connection, contract)
            opened = opening.try_open(connection, contract, opening.Run("run"), contract.path.read_text(), {})
            assert isinstance(opened, int)
            self.load_id = opened
        with pipeline.connect() as connection:
            ledger.transition(connection, self.load_id, State.PRODUCED)
        self.table = relations.landing(contract, self.load_id)
        self.signer = pipeline.signer(self.load_id)
        self.values = [batch.value for batch in SourceReader(contract)]
        self.messages = [self.message(number, value) for number, value in enumerate(self.values, 1)]

    def message(self, batch: int, value: bytes | None, *, offset: int | None = None, key: bytes | None = None) -> Message:
        return Message(self.contract.topic.name, 0, batch if offset is None else offset, key or self.key(batch, value), value)

    def key(self, batch: int, value: bytes | None) -> bytes:
        return self.signer.key(batch, (batch - 1) * MAX_RECORDS_PER_BATCH + 1, value or b"")

    def land(self, messages: Iterable[Message]) -> Landed:
        """As another task would: with a connection and a lander of its own."""
        with self.pipeline.connect() as connection:
            return Lander(self.contract, self.signer).land(connection, messages)

    def land_in_chunks(self, messages: Iterable[Message]) -> Landed:
        """As one task of Spark: chunk after chunk, on one connection."""
        with self.pipeline.connect() as connection:
            return land_in_chunks(Lander(self.contract, self.signer), connection, messages)

    def state(self, state: State) -> None:
        self.admin.execute("UPDATE batchstream.loads SET state = %s WHERE load_id = %s", [state, self.load_id])

    def ids(self) -> list[int]:
        query = sql.SQL("SELECT record_id FROM {} ORDER BY record_id").format(self.table)
        return [record_id for (record_id,) in self.admin.execute(query)]

    def inbox(self) -> list[tuple[Any, ...]]:
        return self.admin.execute(
            'SELECT batch, partition, "offset", records, landed FROM batchstream.batches WHERE load_id = %s ORDER BY batch',
            [self.load_id],
        ).fetchall()

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.admin.execute(
            'SELECT topic, partition, "offset", position, record_id, raw, reason FROM batchstream.quarantine '
            'WHERE load_id = %s ORDER BY partition, "offset", position NULLS FIRST',
            [self.load_id],
        ).fetchall()

    def rejected_messages(self) -> int:
        """How many messages count as rejected whole."""
        row = self.admin.execute(
            "SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM batchstream.rejected_messages, unnest(offsets) AS r "
            "WHERE load_id = %s",
            [self.load_id],
        ).fetchone()
        assert row is not None
        return int(row[0])

    def is_untouched(self) -> bool:
        return (self.ids(), self.inbox(), self.quarantine()) == ([], [], [])

    def is_complete(self) -> bool:
        sizes = [
            (batch, 0, batch, 100 if batch < BATCHES else 6, 100 if batch < BATCHES else 6) for batch in range(1, BATCHES + 1)
        ]
        return self.ids() == list(range(1, RECORDS + 1)) and self.inbox() == sizes
