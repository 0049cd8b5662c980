"""Records to JSON and back: one implementation of a contract's rules, for the producer and for the consumer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import astuple

from batchstream.contract.model import Contract
from batchstream.contract.patterns import pattern_of
from batchstream.records import damaged_json
from batchstream.records.fields import DECODE_ERRORS, EDGE_YEARS, Field, batch_finisher, batch_type, within_years
from batchstream.records.message_names import message_names
from batchstream.records.moments import moments_finisher
from batchstream.records.oddities import Oddities
from batchstream.records.shown import shorten

MAX_RECORDS_PER_BATCH = 100


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that breaks its contract.

    Attributes:
        position: 0-based place in the array; None if the message as a whole was rejected.
        raw: The record, or the message, as it came.
        reason: Column, rule and value.
        column: The column whose value breaks the contract, if it is one's.
    """

    position: int | None
    raw: str
    reason: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """What a message holds.

    Attributes:
        records: Good records: values in the contract's order of columns, and last the record's id.
        rejected: The others.
        total: Elements of the array; 0 if it is none.
        filtered: How many of them the contract's filter leaves out.
    """

    records: Sequence[tuple[Any, ...]] = ()
    rejected: list[RejectedRecord] = field(default_factory=list)
    total: int = 0
    filtered: int = 0


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a record breaks its contract.

    Attributes:
        reason: Column, rule and value.
        column: The column whose value breaks it, if it is one's.
    """

    reason: str
    column: str | None = None


MAX_WHY = 200
"""Characters of what the decoder says: all of our own words, and the beginning of a value that it may repeat."""


class RecordCodec:
    """Encodes and decodes the records of one contract."""

    def __init__(self, contract: Contract) -> None:
        columns = contract.columns
        self._names = message_names(columns)
        self._fields = {
            name: (column.name, Field(column, is_key=column.name in contract.keys))
            for name, column in zip(self._names, columns, strict=True)
        }
        # Neutral names in Python: a column may be called what Python forbids, such as class.
        names = [f"f{number}" for number in range(len(columns))]
        record_type: Any = msgspec.defstruct(
            "Record",
            # The record id is set after decoding: made with the record, it costs no second tuple.
            [*((name, batch_type(column)) for name, column in zip(names, columns, strict=True)), ("record_id", int, 0)],
            # No column has an empty name; a message that has one has more names than it should.
            rename={**dict(zip(names, self._names, strict=True)), "record_id": ""},
            forbid_unknown_fields=True,
            gc=False,
        )
        # Only values of numeric columns have no type of their own here: msgspec takes a text for a decimal.
        self._decoder = msgspec.json.Decoder(list[record_type], float_hook=Decimal)
        self._finishers = [
            (name, finish) for name, column in zip(names, columns, strict=True) if (finish := batch_finisher(column)) is not None
        ]
        self._finishers += [
            (name, finish) for name, column in zip(names, columns, strict=True) if (finish := moments_finisher(column))
        ]
        self._zoned = [name for name, column in zip(names, columns, strict=True) if column.type.has_zone]
        self._patterns = [
            (name, pattern_of(column.rules.pattern).matches)
            for name, column in zip(names, columns, strict=True)
            if column.rules.pattern
        ]
        # A blank text is no key, and no part of one; of other types no value is blank.
        self._text_keys = [
            name for name, c in zip(names, columns, strict=True) if c.name in contract.keys and c.type.python is str
        ]
        self._oddities = Oddities(dict(zip(names, columns, strict=True)))
        # What stands between the values of a full batch, with a place for each value.
        first, *others = map(_name, self._names)
        begin = [b"{" + first, b"", *(part for name in others for part in (b"," + name, b""))]
        following = [b"}," + begin[0], *begin[1:]]
        self._frame = [b"[" + begin[0], *begin[1:], *following * (MAX_RECORDS_PER_BATCH - 1)]

    def encode(self, values: Sequence[bytes]) -> bytes:
        """A JSON array of at most 100 objects, with the contract's columns in their order.

        Args:
            values: The values as JSON texts, record after record, without a separator; `decode` judges them.
        """
        parts = self._frame[: 2 * len(values)]
        parts[1::2] = values
        return b"".join(parts) + b"}]"

    def decode(self, value: bytes | None, first_record_id: int = 1) -> DecodedBatch:
        """The records of a message; whatever bytes come, each record is decoded or rejected, and nothing is raised.

        Args:
            value: The message's.
            first_record_id: Id of the first element of its array; the others follow.
        """
        if value is None:
            return _rejected_whole("", "the message has no value (null)")
        records = self._decode_all(value)
        if records is None:
            return self._decode_one_by_one(value, first_record_id)
        for record_id, record in enumerate(records, first_record_id):
            record.record_id = record_id
        return DecodedBatch(list(map(astuple, records)), [], len(records))

    def accepts(self, value: bytes, records: int) -> bool:
        """Whether `decode` would find exactly that many good records in `value`, and none to reject."""
        found = self._decode_all(value)
        if found is not None:
            return len(found) == records
        decoded = self._decode_one_by_one(value, 1)
        return not decoded.rejected and len(decoded.records) == records

    def _decode_all(self, value: bytes) -> list[Any] | None:
        """Every record at once; None if one of them is bad or has to be looked at."""
        try:
            records = self._decoder.decode(value)
            if not 1 <= len(records) <= MAX_RECORDS_PER_BATCH or self._oddities.found_in(value, records):
                return None
            for name, finish in self._finishers:
                for record in records:
                    setattr(record, name, finish(getattr(record, name)))
            if self._zoned and any(day in value for day in EDGE_YEARS):
                for name in self._zoned:
                    for record in records:
                        within_years(getattr(record, name))
        except (*DECODE_ERRORS, ValueError):
            return None
        return records if self._fit_texts(records) else None

    def _fit_texts(self, records: list[Any]) -> bool:
        """Whether every text matches its pattern, and no text of the key is blank."""
        for name, matches in self._patterns:
            if not all(matches(text) for record in records if (text := getattr(record, name)) is not None):
                return False
        return all(getattr(record, name).strip() for name in self._text_keys for record in records)

    def _decode_one_by_one(self, value: bytes, first_record_id: int) -> DecodedBatch:
        try:
            elements = damaged_json.array_elements(value)
        except damaged_json.NotAnArrayError as error:
            return _rejected_whole(damaged_json.storable(value), str(error))
        if not elements:
            return _rejected_whole(damaged_json.storable(value), "the array is empty")
        if len(elements) > MAX_RECORDS_PER_BATCH:
            reason = f"the array holds {len(elements)} records, at most {MAX_RECORDS_PER_BATCH} are allowed"
            return _rejected_whole(damaged_json.storable(value), reason)
        records, rejected = [], []
        for position, raw in enumerate(elements):
            found = self.examine(raw)
            if isinstance(found, Misfit):
                rejected.append(RejectedRecord(position, damaged_json.storable(raw), found.reason, found.column))
            else:
                records.append((*found, first_record_id + position))
        return DecodedBatch(records, rejected, len(elements))

    def examine(self, raw: bytes) -> tuple[Any, ...] | Misfit:
        """The values of one record, as JSON, in the contract's order; or why it breaks the contract."""
        try:
            pairs = damaged_json.object_pairs(raw)
        except damaged_json.NotAnObjectError as error:
            return Misfit(damaged_json.storable(str(error).encode()))
        texts: dict[str, bytes] = {}
        for name, text in pairs:
            if name not in self._fields:
                return Misfit(f"column {shorten(name)!r} is not in the contract")
            if name in texts:
                column = self._fields[name][0]
                return Misfit(f"column '{column}' stands twice", column)
            texts[name] = text
        values: list[Any] = []
        for name, (column, decoder) in self._fields.items():
            if name not in texts:
                return Misfit(f"column '{column}' is missing", column)
            try:
                values.append(decoder.decode(texts[name]))
            except ValueError as error:
                # The decoder's own words may repeat the value, with what PostgreSQL can't store.
                why = damaged_json.storable(str(error).encode("utf-8", "backslashreplace"))
                return Misfit(f"column '{column}': {shorten(damaged_json.storable(texts[name]))} {shorten(why, MAX_WHY)}", column)
        return tuple(values)


def _name(name: str) -> bytes:
    return msgspec.json.encode(name) + b":"


def _rejected_whole(raw: str, reason: str) -> DecodedBatch:
    return DecodedBatch(rejected=[RejectedRecord(None, raw, reason)])
