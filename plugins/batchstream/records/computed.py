"""Decodes the records of a message of which Spark has computed further columns: all rules of the contract hold for these, too."""

from collections.abc import Sequence
from typing import Any

from batchstream.contract.model import Contract
from batchstream.errors import LoadError
from batchstream.records import damaged_json
from batchstream.records.codec import DecodedBatch, RecordCodec, RejectedRecord
from batchstream.records.messages import Computed, NotComputed


class ComputedCodec:
    """Puts the columns of the source and those of Spark together.

    Args:
        contract: One with a transform.
    """

    def __init__(self, contract: Contract) -> None:
        incoming, derived = contract.incoming, contract.derived
        self._source = RecordCodec(incoming)
        self._derived = RecordCodec(derived) if derived.columns else None
        names = [*(column.name for column in incoming.columns), *(column.name for column in derived.columns)]
        self._places = [names.index(column.name) for column in contract.columns]

    def decode(self, value: bytes | None, computed: Sequence[Computed], first_record_id: int) -> DecodedBatch:
        """The records of a message in the columns of the table.

        Args:
            value: The message's.
            computed: What Spark has made of each element of its array.
            first_record_id: Id of the first element; the others follow.

        Raises:
            LoadError: Spark has made something of more or fewer records than the message holds.
        """
        source = self._source.decode(value, first_record_id)
        if not source.total:
            return source
        if len(computed) != source.total:
            raise LoadError(
                f"the message that begins with record {first_record_id} holds {source.total} records, and Spark has computed "
                f"{len(computed)}; report this as a bug of batchstream, with the contract"
            )
        kept, refused, filtered = [], dict[int, tuple[str, str | None]](), 0
        for record in source.records:
            found = computed[record[-1] - first_record_id]
            if found is None:
                filtered += 1
            elif isinstance(found, NotComputed):
                refused[record[-1] - first_record_id] = (found.reason, None)
            else:
                kept.append((record, found))
        records = self._joined(kept, first_record_id, refused)
        raws = damaged_json.array_elements(value or b"") if refused else []
        rejected = [
            RejectedRecord(position, damaged_json.storable(raws[position]), reason, column)
            for position, (reason, column) in sorted(refused.items())
        ]
        return DecodedBatch(records, [*source.rejected, *rejected], source.total, filtered)

    def _joined(
        self, kept: Sequence[tuple[tuple[Any, ...], bytes]], first_record_id: int, refused: dict[int, tuple[str, str | None]]
    ) -> list[tuple[Any, ...]]:
        """Rows of the table; why a derived column breaks the contract goes into `refused`, by the position of its record."""
        if self._derived is None or not kept:
            return [(*(record[place] for place in self._places), record[-1]) for record, _ in kept]
        decoded = self._derived.decode(b"[" + b",".join(found for _, found in kept) + b"]", 0)
        for fault in decoded.rejected:
            if fault.position is None:
                raise LoadError(f"what Spark has computed is no JSON: {fault.reason}; report this as a bug of batchstream")
            record = kept[fault.position][0]
            refused[record[-1] - first_record_id] = (f"{fault.reason}, computed of this record", fault.column)
        rows = []
        for derived in decoded.records:
            record = kept[derived[-1]][0]
            both = (*record[:-1], *derived)
            rows.append((*(both[place] for place in self._places), record[-1]))
        return rows
