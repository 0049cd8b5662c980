"""Records to JSON and back: one implementation of a contract's rules, for the producer and for the consumer."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import astuple

from batchstream.contract.model import Contract
from batchstream.records import scan
from batchstream.records.fields import field_type, value_fault

MAX_RECORDS_PER_BATCH = 100
MAX_SHOWN_CHARACTERS = 80

_NUL = b"\\u0000"
_NANOSECONDS = re.compile(rb":\d\d\.\d{7}")
"""More digits than PostgreSQL's microseconds; msgspec would round them."""

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that breaks its contract.

    Attributes:
        position: 0-based place in the array; None if the message as a whole was rejected.
        raw: The record, or the message, as it came.
        reason: Column, rule and value.
    """

    position: int | None
    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """What a message holds.

    Attributes:
        positions: 0-based place in the array of each good record.
        records: Good records, as values in the contract's order of columns.
        rejected: The others.
        total: Elements of the array; 0 if it is none.
    """

    positions: Sequence[int] = ()
    records: Sequence[tuple[Any, ...]] = ()
    rejected: list[RejectedRecord] = field(default_factory=list)
    total: int = 0


class RecordCodec:
    """Encodes and decodes the records of one contract."""

    def __init__(self, contract: Contract) -> None:
        self.columns = contract.columns
        fields = [field_type(column) for column in contract.columns]
        names = [f"f{number}" for number in range(len(contract.columns))]
        # Neutral field names: a column may be called what Python forbids, such as class.
        record_type: Any = msgspec.defstruct(
            "Record",
            list(zip(names, fields, strict=True)),
            rename=dict(zip(names, (column.name for column in contract.columns), strict=True)),
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decoder = msgspec.json.Decoder(list[record_type])
        self._value_decoders = [msgspec.json.Decoder(one) for one in fields]
        self._template = "{" + ",".join(f'"{column.name}":%s' for column in contract.columns) + "}"
        self._timestamps = any(column.type.copy_type.startswith("timestamp") for column in contract.columns)
        self._decimals = [n for n, column in enumerate(contract.columns) if column.type.copy_type == "numeric"]

    def encode(self, rows: Iterable[Sequence[str]]) -> bytes:
        """A JSON array of objects, with the contract's columns in their order.

        Args:
            rows: For each record, each value as JSON text; `decode` judges them.
        """
        return f"[{','.join([self._template % tuple(row) for row in rows])}]".encode()

    def decode(self, value: bytes | None) -> DecodedBatch:
        """The records of a message; whatever bytes come, each record is decoded or rejected, and nothing is raised."""
        if value is None:
            return _rejected_whole("", "the message has no value (null)")
        try:
            records = self._decoder.decode(value)
        except DECODE_ERRORS:
            return self._decode_one_by_one(value)
        if not records or len(records) > MAX_RECORDS_PER_BATCH or self._looks_odd(value, records):
            return self._decode_one_by_one(value)
        rows = [astuple(record) for record in records]
        if self._decimals and any(self._decimal_fault(row) for row in rows):
            return self._decode_one_by_one(value)
        return DecodedBatch(range(len(rows)), rows, [], len(rows))

    def _looks_odd(self, value: bytes, records: list[Any]) -> bool:
        """What msgspec lets pass and a closer look has to judge: a repeated column, U+0000, nanoseconds."""
        return (
            value.count(b'":') != len(records) * len(self.columns)
            or _NUL in value
            or (self._timestamps and _NANOSECONDS.search(value) is not None)
        )

    def _decimal_fault(self, row: tuple[Any, ...]) -> bool:
        return any(value_fault(self.columns[n], row[n]) for n in self._decimals if row[n] is not None)

    def _decode_one_by_one(self, value: bytes) -> DecodedBatch:
        try:
            elements = scan.array_elements(value)
        except scan.NotAnArrayError as error:
            return _rejected_whole(scan.storable(value), str(error))
        if not elements:
            return _rejected_whole(scan.storable(value), "the array is empty")
        if len(elements) > MAX_RECORDS_PER_BATCH:
            return _rejected_whole(
                scan.storable(value), f"the array holds {len(elements)} records, at most {MAX_RECORDS_PER_BATCH} are allowed"
            )
        positions, records, rejected = [], [], []
        for position, raw in enumerate(elements):
            found = self.examine(raw)
            if isinstance(found, str):
                rejected.append(RejectedRecord(position, scan.storable(raw), found))
            else:
                positions.append(position)
                records.append(found)
        return DecodedBatch(positions, records, rejected, len(elements))

    def examine(self, raw: bytes) -> tuple[Any, ...] | str:
        """The values of one record, as JSON, in the contract's order; or a sentence on why it breaks the contract."""
        try:
            pairs = scan.object_pairs(raw)
        except scan.NotAnObjectError as error:
            return str(error)
        names = [name for name, _ in pairs]
        known = {column.name for column in self.columns}
        for name in names:
            if name not in known:
                return f"column {shorten(name)!r} is not in the contract"
            if names.count(name) > 1:
                return f"column '{name}' stands twice"
        texts = dict(pairs)
        values: list[Any] = []
        for column, decoder in zip(self.columns, self._value_decoders, strict=True):
            if column.name not in texts:
                return f"column '{column.name}' is missing"
            text = texts[column.name]
            try:
                values.append(decoder.decode(text))
                why = value_fault(column, values[-1])
            except DECODE_ERRORS as error:
                why = f"is not {column.type.sql}{'' if column.nullable else ' NOT NULL'}: {shorten(str(error))}"
            if why is None and column.type.copy_type.startswith("timestamp") and _NANOSECONDS.search(text):
                why = "has more than 6 digits of a second"
            if why is not None:
                return f"column '{column.name}': {shorten(scan.storable(text))} {why}"
        return tuple(values)


def shorten(text: str) -> str:
    """A value as a message may show it."""
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}… ({len(text)} characters)"


def _rejected_whole(raw: str, reason: str) -> DecodedBatch:
    return DecodedBatch(rejected=[RejectedRecord(None, raw, reason)])
