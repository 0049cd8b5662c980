"""Judges a record of a source once more, out of the quarantine: its contract may have been mended since."""

import re
from typing import Any

from batchstream.contract.model import Contract
from batchstream.records.codec import Misfit, RecordCodec
from batchstream.records.judge import Judge
from batchstream.records.rejects import BadRecord
from batchstream.records.rows import RowReader

# How the quarantine shows what is no UTF-8, and U+0000.
_BYTES = re.compile(r"\\x[0-9a-f]{2}")


class SecondJudge:
    """Judges records of one contract's source, each by its own lines."""

    def __init__(self, contract: Contract, codec: RecordCodec) -> None:
        self._source = contract.source
        self._codec = codec
        self._judge = Judge(contract, codec)

    def examine(self, raw: str, line: int, record_id: int) -> tuple[Any, ...] | Misfit:
        """The values of a record in the contract's order, or why it still breaks the contract.

        Args:
            raw: Its lines as they stand in the source.
            line: Number of the first of them.
            record_id: Number of the record in the source.
        """
        if _BYTES.search(raw):
            return Misfit("its text may stand for bytes that are not UTF-8, so it can't be replayed: mend the source")
        taken = RowReader(self._source, [(raw + "\n").encode().splitlines(keepends=True)], line).take()
        if taken.fault is not None:
            return Misfit(str(taken.fault))
        found = next(self._judge.sift(taken, record_id), None)
        if found is None:
            return Misfit("the line is blank")
        if isinstance(found, BadRecord):
            return Misfit(found.reason, found.column)
        (values,) = self._codec.decode(self._codec.encode(found), record_id).records
        return values[:-1]
