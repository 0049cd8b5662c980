"""Puts what a topic held beside good records into the quarantine: every bad record, and the first of foreign messages.

Anybody who may write to the topic can send as many foreign messages as he likes, of any size. So they are all counted, by their
offsets, and few of them are kept, shortened. A flood of them ends the load.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from batchstream.errors import LoadError
from batchstream.records.damaged_json import storable
from batchstream.records.messages import Message

MAX_KEPT_MESSAGES = 100
"""Of those that were rejected whole, in each partition."""

MAX_REJECTED_MESSAGES = 10_000
"""In each partition. One keeps the load from being published; to read very many more would only take time, and each transaction
writes the list of their offsets anew."""

MAX_KEPT_BYTES = 4096
"""Of the value of each of them."""


class Rejected(NamedTuple):
    """A record that breaks the contract, or a whole message.

    Attributes:
        position: 0-based place in the message's array; None if the whole message was rejected.
        record_id: The record's; None for a whole message.
        raw: The record as it came; of a message its beginning.
        reason: A sentence.
    """

    message: Message
    position: int | None
    record_id: int | None
    raw: str
    reason: str


def rejected_whole(message: Message, reason: str) -> Rejected:
    """A message that gives no record."""
    value = message.value or b""
    raw = storable(value[:MAX_KEPT_BYTES])
    if len(value) > MAX_KEPT_BYTES:
        raw += f"… ({len(value):,} bytes)"
    return Rejected(message, None, None, raw, reason)


def quarantine(connection: psycopg.Connection, load_id: int, rejected: Sequence[Rejected]) -> None:
    """Write them; what is written already is left as it is.

    Args:
        connection: In the transaction that lands the other records.
        load_id: The load that met them.
        rejected: Of one delivery, in any order.

    Raises:
        LoadError: A partition has more than `MAX_REJECTED_MESSAGES` that were rejected whole.
    """
    whole: dict[int, list[Rejected]] = defaultdict(list)
    for found in rejected:
        if found.record_id is None:
            whole[found.message.partition].append(found)
    kept = [found for found in rejected if found.record_id is not None]
    # In one order everywhere: each partition's count is held until the transaction ends.
    for partition, messages in sorted(whole.items()):
        kept += sorted(messages, key=lambda found: found.message.offset)[: _free(connection, load_id, partition, messages)]
    if not kept:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO batchstream.quarantine (load_id, topic, partition, "offset", position, record_id, raw, reason) '
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                (load_id, message.topic, message.partition, message.offset, position, record_id, raw, reason)
                for message, position, record_id, raw, reason in kept
            ],
        )


def _free(connection: psycopg.Connection, load_id: int, partition: int, messages: Sequence[Rejected]) -> int:
    """Count messages, each once however often it comes, and say how many more may be kept."""
    connection.execute(
        "SELECT batchstream.count_rejected(%s, %s, %s)", [load_id, partition, [found.message.offset for found in messages]]
    )
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint "
        "FROM batchstream.rejected_messages AS m, unnest(m.offsets) AS r "
        "WHERE m.load_id = %(load_id)s AND m.partition = %(partition)s), "
        "(SELECT count(*) FROM batchstream.quarantine "
        "WHERE load_id = %(load_id)s AND partition = %(partition)s AND record_id IS NULL AND source_path IS NULL)",
        {"load_id": load_id, "partition": partition},
    ).fetchone()
    counted, kept = row or (0, 0)
    if counted > MAX_REJECTED_MESSAGES:
        first = messages[0]
        raise LoadError(
            f"load {load_id}: topic '{first.message.topic}' partition {partition}: more than {MAX_REJECTED_MESSAGES:,} messages "
            f"were rejected whole, such as that at offset {first.message.offset}: {first.reason}. The quarantine has the first "
            f"{MAX_KEPT_MESSAGES}: find out who else writes into the topic, then start a new run"
        )
    return max(0, MAX_KEPT_MESSAGES - int(kept))
