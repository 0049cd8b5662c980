"""The messages of a load; the key says to which load it belongs, which batch it is, and which record it begins with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from batchstream.records.codec import MAX_RECORDS_PER_BATCH, shorten
from batchstream.records.scan import storable


class MessageKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Key of a batch, as JSON.

    Attributes:
        load_id: The load, from the ledger.
        batch: 1-based number of the batch in its load.
        first_record_id: 1-based number in the source of its first record.
    """

    load_id: int
    batch: int
    first_record_id: int


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A key that is none of ours."""

    reason: str


_decoder = msgspec.json.Decoder(MessageKey)


def batch_key(load_id: int, batch: int) -> bytes:
    """The key of a load's batch; the same in every try, so duplicates go to the same partition and can be told."""
    return msgspec.json.encode(MessageKey(load_id, batch, (batch - 1) * MAX_RECORDS_PER_BATCH + 1))


def load_messages(load_id: int, batches: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each batch of a load, in the order of the source."""
    for number, value in enumerate(batches, 1):
        yield batch_key(load_id, number), value


def decode_key(key: bytes | None) -> MessageKey | ForeignKey:
    """Read the key of a message; never raises."""
    if key is None:
        return ForeignKey("the message has no key, so it belongs to no load")
    try:
        found = _decoder.decode(key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ForeignKey(f"the message's key is not a load's: {shorten(storable(key))}")
    if not 1 <= found.batch < 2**53 or found.first_record_id != (found.batch - 1) * MAX_RECORDS_PER_BATCH + 1:
        return ForeignKey(f"the message's key contradicts itself: {shorten(storable(key))}")
    return found
