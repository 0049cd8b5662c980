"""Lands messages: one transaction claims batches in the inbox, copies their records and quarantines the rest."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from batchstream.contract.model import Contract
from batchstream.errors import LoadError, SinkError
from batchstream.postgres import ledger, templates
from batchstream.postgres.copy_rows import RowCopy
from batchstream.records.codec import RecordCodec
from batchstream.records.messages import MessageKey, decode_key
from batchstream.records.scan import storable


class Message(NamedTuple):
    """One Kafka message, as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Landed(NamedTuple):
    """What became of some messages."""

    messages: int = 0
    records: int = 0
    landed: int = 0
    rejected: int = 0
    duplicates: int = 0
    other_loads: int = 0

    def plus(self, other: "Landed") -> "Landed":
        """Both together."""
        return Landed(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class _Rejected(NamedTuple):
    message: Message
    position: int | None
    record_id: int | None
    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Batch:
    key: MessageKey
    message: Message
    digest: int

    @property
    def claim(self) -> tuple[int, int, int]:
        return (self.key.batch, self.message.partition, self.message.offset)


class _Counts(NamedTuple):
    batch: int
    records: int
    landed: int


class Lander:
    """Lands the messages of one load.

    The order matters; each step relies on those before it:

    1. The ledger row is held in a state in which the load may land, so a late writer of a load that was given up,
       verified or published stops before it writes.
    2. The batches are claimed in the inbox. A batch that was landed before, by a retried producer, a replayed
       micro-batch or a twin of this task, loses its claim, and its records are left out.
    3. The records of the claimed batches are decoded and copied, one message after the other, so that what is decoded is
       still in the processor's caches and memory stays flat. Rejected records go to the quarantine.
    4. The inbox learns the counts, and one commit makes all of it true together.
    """

    def __init__(self, contract: Contract, load_id: int) -> None:
        self._contract = contract
        self._load_id = load_id
        self._codec = RecordCodec(contract)
        self._rows = RowCopy(contract, templates.landing(contract, load_id))

    def land(self, connection: psycopg.Connection, messages: Iterable[Message]) -> Landed:
        """Land messages in one transaction.

        Raises:
            LoadError: The load may not land any more, or its rows or rights don't fit the tables.
            SinkError: PostgreSQL gave up the transaction; nothing of it was written.
        """
        try:
            with connection.transaction():
                ledger.require_state(connection, self._load_id, ledger.State.PRODUCED, ledger.State.LANDED)
                return self._land(connection, messages)
        except psycopg.OperationalError as error:
            raise SinkError(f"load {self._load_id}: PostgreSQL gave up the landing: {error}") from error
        except psycopg.Error as error:
            raise LoadError(
                f"load {self._load_id}: PostgreSQL refused the landing: {error}; compare the tables with sql/ and start a new run"
            ) from error

    def _land(self, connection: psycopg.Connection, messages: Iterable[Message]) -> Landed:
        own: list[_Batch] = []
        rejected: list[_Rejected] = []
        seen = other_loads = 0
        for message in messages:
            seen += 1
            key = decode_key(message.key)
            if not isinstance(key, MessageKey):
                rejected.append(_Rejected(message, None, None, storable(message.value or b""), key.reason))
            elif key.load_id != self._load_id:
                other_loads += 1
            else:
                own.append(_Batch(key, message, zlib.crc32(message.value or b"")))
        faults_of_keys = len(rejected)
        claimed = self._claim(connection, own, rejected)
        impostors = len(rejected) - faults_of_keys
        counts = self._copy_records(connection, claimed, rejected)
        self._note_counts(connection, counts)
        self._quarantine(connection, rejected)
        return Landed(
            messages=seen,
            records=sum(count.records for count in counts),
            landed=sum(count.landed for count in counts),
            rejected=len(rejected),
            duplicates=len(own) - len(claimed) - impostors,
            other_loads=other_loads,
        )

    def _claim(self, connection: psycopg.Connection, batches: list[_Batch], rejected: list[_Rejected]) -> list[_Batch]:
        """Enter batches in the inbox; return those that were not there yet."""
        if not batches:
            return []
        # In one order everywhere, so that two writers of the same batches wait for each other instead of dead-locking.
        batches = sorted(batches, key=lambda batch: (batch.key.batch, batch.message.partition, batch.message.offset))
        won = set(
            connection.execute(
                'INSERT INTO batchstream.batches (load_id, batch, partition, "offset", digest) '
                "SELECT %s, * FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[]) "
                'ON CONFLICT DO NOTHING RETURNING batch, partition, "offset"',
                [
                    self._load_id,
                    [batch.key.batch for batch in batches],
                    [batch.message.partition for batch in batches],
                    [batch.message.offset for batch in batches],
                    [batch.digest for batch in batches],
                ],
            ).fetchall()
        )
        claimed: list[_Batch] = []
        lost: list[_Batch] = []
        for batch in batches:
            if batch.claim in won:
                # Once: the same message may stand twice in what is landed together.
                won.remove(batch.claim)
                claimed.append(batch)
            else:
                lost.append(batch)
        if lost:
            self._reject_impostors(connection, lost, rejected)
        return claimed

    def _reject_impostors(self, connection: psycopg.Connection, lost: list[_Batch], rejected: list[_Rejected]) -> None:
        """Reject a batch that came before with other content; one that came with the same content is a duplicate."""
        landed = {
            number: (digest, partition, offset)
            for number, digest, partition, offset in connection.execute(
                'SELECT batch, digest, partition, "offset" FROM batchstream.batches WHERE load_id = %s AND batch = ANY(%s)',
                [self._load_id, [batch.key.batch for batch in lost]],
            )
        }
        for batch in lost:
            digest, partition, offset = landed[batch.key.batch]
            if digest != batch.digest:
                reason = f"batch {batch.key.batch} came before with other content, at partition {partition} offset {offset}"
                rejected.append(_Rejected(batch.message, None, None, storable(batch.message.value or b""), reason))

    def _copy_records(self, connection: psycopg.Connection, batches: list[_Batch], rejected: list[_Rejected]) -> list[_Counts]:
        counts: list[_Counts] = []
        if batches:
            self._rows.write(connection, self._good_records(batches, rejected, counts))
        return counts

    def _good_records(
        self, batches: list[_Batch], rejected: list[_Rejected], counts: list[_Counts]
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield what lands of each batch; note what doesn't, and the counts."""
        for batch in batches:
            first = batch.key.first_record_id
            decoded = self._codec.decode(batch.message.value, first)
            yield decoded.records
            for fault in decoded.rejected:
                record_id = None if fault.position is None else first + fault.position
                rejected.append(_Rejected(batch.message, fault.position, record_id, fault.raw, fault.reason))
            counts.append(_Counts(batch.key.batch, decoded.total, len(decoded.records)))

    def _note_counts(self, connection: psycopg.Connection, counts: list[_Counts]) -> None:
        if counts:
            batches, records, landed = map(list, zip(*counts, strict=True))
            # By their numbers, or PostgreSQL reads all batches of the load to find these.
            connection.execute(
                "UPDATE batchstream.batches AS b SET records = c.records, landed = c.landed "
                "FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS c (batch, records, landed) "
                "WHERE b.load_id = %s AND b.batch = ANY(%s) AND b.batch = c.batch",
                [batches, records, landed, self._load_id, batches],
            )

    def _quarantine(self, connection: psycopg.Connection, rejected: list[_Rejected]) -> None:
        if not rejected:
            return
        with connection.cursor() as cursor:
            cursor.executemany(
                'INSERT INTO batchstream.quarantine (load_id, topic, partition, "offset", position, record_id, raw, reason) '
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [
                    (self._load_id, message.topic, message.partition, message.offset, position, record_id, raw, reason)
                    for message, position, record_id, raw, reason in rejected
                ],
            )
