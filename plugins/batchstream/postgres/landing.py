"""Lands messages: one transaction copies the records of batches, quarantines the rest and enters the batches in the inbox."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import psycopg

from batchstream.contract.model import Contract
from batchstream.errors import LoadError, SinkError
from batchstream.postgres import domains, ledger, relations
from batchstream.postgres.copy_rows import RowCopy
from batchstream.postgres.failures import as_ours
from batchstream.postgres.message_rejects import Rejected, quarantine, rejected_whole
from batchstream.records import damaged_json
from batchstream.records.codec import DecodedBatch, RecordCodec
from batchstream.records.computed import ComputedCodec
from batchstream.records.messages import Message, MessageKey, Signer, decode_key

_IMPOSTOR = "the message's key names this load, and its signature is none of this load's: somebody else has sent it"


class Landed(NamedTuple):
    """What became of some messages."""

    messages: int = 0
    records: int = 0
    landed: int = 0
    rejected: int = 0
    duplicates: int = 0
    other_loads: int = 0
    filtered: int = 0

    def plus(self, other: "Landed") -> "Landed":
        """Both together."""
        return Landed(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class _InboxRow(NamedTuple):
    batch: int
    partition: int
    offset: int
    records: int
    landed: int
    filtered: int


class _OvertakenError(Exception):
    """Another writer has entered some of the same batches since the inbox was read."""


def decoder(contract: Contract) -> Callable[[Message, int], DecodedBatch]:
    """What makes records of a message, given the id of its first one."""
    if contract.transform is None:
        codec = RecordCodec(contract)
        return lambda message, first_record_id: codec.decode(message.value, first_record_id)
    computed = ComputedCodec(contract)
    return lambda message, first_record_id: computed.decode(message.value, message.computed, first_record_id)


class Lander:
    """Lands the messages of one load.

    The order matters; each step relies on those before it:

    1. The ledger row is held in a state in which the load may land, so a late writer of a load that was given up,
       verified or published stops before it writes.
    2. Messages of other loads and of other tries are passed over. What names this load and isn't signed with its secret goes to
       the quarantine. Batches that are in the inbox are left out: a replayed micro-batch has brought them again.
    3. The records of the others are decoded and copied, one message after the other, so that what is decoded is still in the
       processor's caches and memory stays flat. Rejected records go to the quarantine.
    4. The others are entered in the inbox, with their counts. If one of them is there by now, as a twin of this task runs beside
       it, all of this is rolled back and begun again, with what the twin has landed left out.
    5. One commit makes all of it true together.
    """

    def __init__(self, contract: Contract, signer: Signer) -> None:
        self._contract = contract
        self._signer = signer
        self._load_id = signer.load_id
        self._decode = decoder(contract)
        self._has_domains = domains.has_any(contract)
        self._rows = RowCopy(contract, relations.landing(contract, signer.load_id))

    def land(self, connection: psycopg.Connection, messages: Iterable[Message]) -> Landed:
        """Land messages in one transaction.

        Raises:
            LoadError: The load may not land any more, or its rows or rights don't fit the tables.
            SinkError: PostgreSQL gave up the transaction; nothing of it was written.
        """
        messages = list(messages)
        try:
            while True:
                with suppress(_OvertakenError), connection.transaction():
                    ledger.require_state(connection, self._load_id, ledger.State.PRODUCED, ledger.State.LANDED)
                    return self._land(connection, messages)
        except psycopg.errors.LockNotAvailable as error:
            raise as_ours(error, f"load {self._load_id}: landing it", connection) from error
        except psycopg.OperationalError as error:
            raise SinkError(f"load {self._load_id}: PostgreSQL gave up the landing: {error}") from error
        except psycopg.Error as error:
            raise LoadError(
                f"load {self._load_id}: PostgreSQL refused the landing: {error}; compare the tables with sql/ and start a new run"
            ) from error

    def _land(self, connection: psycopg.Connection, messages: Iterable[Message]) -> Landed:
        own: list[tuple[MessageKey, Message]] = []
        rejected: list[Rejected] = []
        seen = other_loads = 0
        for message in messages:
            seen += 1
            key = decode_key(message.key)
            if not isinstance(key, MessageKey):
                rejected.append(rejected_whole(message, key.reason))
            elif key.load_id != self._load_id:
                other_loads += 1
            elif not self._signer.signed(key, message.value):
                rejected.append(rejected_whole(message, _IMPOSTOR))
            elif key.attempt != self._signer.attempt:
                # Another try's of producing this load; it doesn't count.
                other_loads += 1
            else:
                own.append((key, message))
        # In one order everywhere, so that two writers of the same batches wait for each other instead of dead-locking.
        own.sort(key=lambda batch: (batch[0].batch, batch[1].partition, batch[1].offset))
        inbox = self._inbox(connection, [key.batch for key, _ in own])
        fresh: dict[int, tuple[MessageKey, Message]] = {}
        duplicates = 0
        for key, message in own:
            if key.batch in inbox or key.batch in fresh:
                duplicates += 1
            else:
                fresh[key.batch] = (key, message)
        entered = self._copy_records(connection, fresh.values(), rejected)
        self._enter(connection, entered)
        quarantine(connection, self._load_id, rejected)
        return Landed(
            messages=seen,
            records=sum(row.records for row in entered),
            landed=sum(row.landed for row in entered),
            rejected=len(rejected),
            duplicates=duplicates,
            other_loads=other_loads,
            filtered=sum(row.filtered for row in entered),
        )

    def _inbox(self, connection: psycopg.Connection, batches: list[int]) -> set[int]:
        """Those of some batches that were landed before."""
        rows = connection.execute(
            "SELECT batch FROM batchstream.batches WHERE load_id = %s AND batch = ANY(%s)", [self._load_id, batches]
        )
        return {batch for (batch,) in rows}

    def _copy_records(
        self, connection: psycopg.Connection, batches: Collection[tuple[MessageKey, Message]], rejected: list[Rejected]
    ) -> list[_InboxRow]:
        if not batches:
            return []
        if self._has_domains:
            return self._copy_what_domains_accept(connection, batches, rejected)
        rows: list[_InboxRow] = []
        self._rows.write(connection, self._good_records(batches, rejected, rows))
        return rows

    def _copy_what_domains_accept(
        self, connection: psycopg.Connection, batches: Collection[tuple[MessageKey, Message]], rejected: list[Rejected]
    ) -> list[_InboxRow]:
        """All at once, as that is quick, and if a record breaks a domain's check, batch by batch."""
        rows: list[_InboxRow] = []
        by_codec: list[Rejected] = []
        try:
            with connection.transaction():
                self._rows.write(connection, self._good_records(batches, by_codec, rows))
        except domains.REFUSALS:
            rows.clear()
            by_codec.clear()
            for key, message in batches:
                (records,) = self._good_records([(key, message)], by_codec, rows)
                refused = domains.copy_good(connection, self._contract, self._rows, records) if records else {}
                for place, reason in refused.items():
                    position = records[place][-1] - key.first_record_id
                    raw = damaged_json.storable(damaged_json.array_elements(message.value or b"")[position])
                    rejected.append(Rejected(message, position, records[place][-1], raw, reason))
                rows[-1] = rows[-1]._replace(landed=rows[-1].landed - len(refused))
        rejected += by_codec
        return rows

    def _good_records(
        self, batches: Iterable[tuple[MessageKey, Message]], rejected: list[Rejected], rows: list[_InboxRow]
    ) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield what lands of each batch; note what doesn't, and the batch's row of the inbox."""
        for key, message in batches:
            decoded = self._decode(message, key.first_record_id)
            yield decoded.records
            for fault in decoded.rejected:
                if fault.position is None:
                    rejected.append(rejected_whole(message, fault.reason))
                else:
                    record_id = key.first_record_id + fault.position
                    rejected.append(Rejected(message, fault.position, record_id, fault.raw, fault.reason))
            counts = (decoded.total, len(decoded.records), decoded.filtered)
            rows.append(_InboxRow(key.batch, message.partition, message.offset, *counts))

    def _enter(self, connection: psycopg.Connection, rows: list[_InboxRow]) -> None:
        if not rows:
            return
        # Waits for another writer that has entered one of them and not committed yet.
        entered = connection.execute(
            'INSERT INTO batchstream.batches (load_id, batch, partition, "offset", records, landed, filtered) '
            "SELECT %s, * FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::int[], %s::int[], %s::int[]) "
            "ON CONFLICT DO NOTHING",
            [self._load_id, *map(list, zip(*rows, strict=True))],
        )
        if entered.rowcount < len(rows):
            raise _OvertakenError
