"""The messages of a load; the key says to which load it belongs, which batch it is, and which record it begins with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from batchstream.records.codec import shorten
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


class Batch(NamedTuple):
    """Some records of a source that follow one another.

    Attributes:
        first_record_id: 1-based number in the source of the first of them.
        value: All of them, as the value of a message.
    """

    first_record_id: int
    value: bytes


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A key that is none of ours."""

    reason: str


_decoder = msgspec.json.Decoder(MessageKey)


def batch_key(load_id: int, batch: int, first_record_id: int) -> bytes:
    """The key of a load's batch; the same in every try, so duplicates go to the same partition and can be told."""
    return msgspec.json.encode(MessageKey(load_id, batch, first_record_id))


def load_messages(load_id: int, batches: Iterable[Batch]) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each batch of a load, in the order of the source."""
    for number, batch in enumerate(batches, 1):
        yield batch_key(load_id, number, batch.first_record_id), batch.value


def decode_key(key: bytes | None) -> MessageKey | ForeignKey:
    """Read the key of a message; never raises."""
    if key is None:
        return ForeignKey("the message has no key, so it belongs to no load")
    try:
        found = _decoder.decode(key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ForeignKey(f"the message's key is not a load's: {shorten(storable(key))}")
    # Each batch before it has one record at least; bad records of the source are in none.
    if not 1 <= found.batch <= found.first_record_id < 2**63:
        return ForeignKey(f"the message's key contradicts itself: {shorten(storable(key))}")
    return found
