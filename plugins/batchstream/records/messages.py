"""The messages of a load: their keys say what they are, signed with the load's secret, so that nobody else can send one."""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from batchstream.records.damaged_json import storable
from batchstream.records.shown import shorten

_NONCE = Struct(">IQ")
"""Attempt and batch. An attempt begins once and sends each batch once, so no two contents of a load are signed with one nonce."""

_HEAD = Struct(">QQ")
"""Load and first record id, of fixed width, before the value: no two messages have the same bytes to sign."""


class NotComputed(NamedTuple):
    """Why Spark could not compute a record."""

    reason: str


Computed = bytes | NotComputed | None
"""What Spark makes of a record: its derived columns as a JSON object, or why it can't; None if the filter leaves it out."""


class Message(NamedTuple):
    """One Kafka message, as it came.

    Attributes:
        computed: What Spark has made of each of its records, in their order; nothing if it was not asked.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    computed: Sequence[Computed] = ()


class MessageKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Key of a batch, as JSON.

    Attributes:
        load_id: The load, from the ledger.
        attempt: 1-based number of the try of producing it.
        batch: 1-based number of the batch in its load.
        first_record_id: 1-based number in the source of its first record.
        mac: AES-GMAC (NIST SP 800-38D) over all of these and the value, in hexadecimal.
    """

    load_id: int
    attempt: int
    batch: int
    first_record_id: int
    mac: str


class Batch(NamedTuple):
    """Some records of a source that follow one another.

    Attributes:
        first_record_id: 1-based number in the source of the first of them.
        value: All of them, as the value of a message.
    """

    first_record_id: int
    value: bytes


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A key that is none of ours."""

    reason: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs the messages of one try of producing a load, and tells them from others.

    Attributes:
        load_id: The load.
        attempt: The try.
        secret: Of the load, 32 bytes; only who may read the ledger has it.
    """

    load_id: int
    attempt: int
    secret: bytes = field(repr=False)

    def key(self, batch: int, first_record_id: int, value: bytes) -> bytes:
        """The key of a batch."""
        mac = self._mac(self.attempt, batch, first_record_id, value)
        return msgspec.json.encode(MessageKey(self.load_id, self.attempt, batch, first_record_id, mac))

    def signed(self, key: MessageKey, value: bytes | None) -> bool:
        """Whether a message with this load's id was sent by somebody who has its secret, in whichever try."""
        return hmac.compare_digest(
            key.mac.encode(), self._mac(key.attempt, key.batch, key.first_record_id, value or b"").encode()
        )

    def _mac(self, attempt: int, batch: int, first_record_id: int, value: bytes) -> str:
        signed = _HEAD.pack(self.load_id, first_record_id) + value
        return AESGCM(self.secret).encrypt(_NONCE.pack(attempt, batch), b"", signed).hex()


_decoder = msgspec.json.Decoder(MessageKey)


def load_messages(signer: Signer, batches: Iterable[Batch]) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each batch of a load, in the order of the source."""
    for number, batch in enumerate(batches, 1):
        yield signer.key(number, batch.first_record_id, batch.value), batch.value


def decode_key(key: bytes | None) -> MessageKey | UnknownKey:
    """Read the key of a message; never raises."""
    if key is None:
        return UnknownKey("the message has no key, so it belongs to no load")
    try:
        found = _decoder.decode(key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UnknownKey(f"the message's key is not a load's: {shorten(storable(key))}")
    # Each batch before it has one record at least; bad records of the source are in none.
    if not (1 <= found.batch <= found.first_record_id < 2**63 and 0 <= found.attempt < 2**31 and found.load_id >= 0):
        return UnknownKey(f"the message's key contradicts itself: {shorten(storable(key))}")
    return found
