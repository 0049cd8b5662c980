"""Judges a record of a source once more, out of the quarantine: its contract may have been mended since."""

import re
from collections.abc import Mapping
from dataclasses import replace

from batchstream.contract.model import Contract
from batchstream.errors import SourceError
from batchstream.records.codec import Misfit, RecordCodec
from batchstream.records.header import layout_in
from batchstream.records.json_elements import Element
from batchstream.records.json_rows import JsonRows
from batchstream.records.judge import Judge
from batchstream.records.layout import layout_without_header
from batchstream.records.rejects import BadRecord
from batchstream.records.rows import RowReader
from batchstream.records.taken import Taken

# How the quarantine shows what is no UTF-8, and U+0000.
_BYTES = re.compile(r"\\x[0-9a-f]{2}")


class SecondJudge:
    """Judges records of one contract's source, each by its own lines.

    Args:
        contract: The contract.
        codec: Its codec.
        headers: Of the files that were read, by path; None of those without one.
    """

    def __init__(self, contract: Contract, codec: RecordCodec, headers: Mapping[str, str | None]) -> None:
        self._contract = contract
        self._codec = codec
        self._headers = headers
        self._judges: dict[str, Judge | str] = {}

    def element(self, raw: str, path: str, line: int, record_id: int) -> bytes | Misfit:
        """A record as a JSON object, as messages hold it, or why it still breaks the contract.

        Args:
            raw: Its lines as they stand in the source.
            path: The file.
            line: Number of the first of them.
            record_id: Number of the record in the source.
        """
        if _BYTES.search(raw):
            return Misfit("its text may stand for bytes that are not UTF-8, so it can't be replayed: mend the source")
        judge = self._judge(path)
        if isinstance(judge, str):
            return Misfit(judge)
        taken = self._taken(raw, line)
        if taken.fault is not None:
            return Misfit(str(taken.fault))
        found = next(judge.sift(taken, record_id), None)
        if found is None:
            return Misfit("the line is blank")
        if isinstance(found, BadRecord):
            return Misfit(found.reason, found.column)
        return self._codec.encode(found)[1:-1]

    def _taken(self, raw: str, line: int) -> Taken:
        source = self._contract.source
        if source.format.is_text:
            return RowReader(source, [(raw + "\n").encode().splitlines(keepends=True)], line).take()
        # Of any other format the quarantine has a JSON object, with all of the record's fields.
        contract = replace(self._contract, source=replace(source, others_ignored=True))
        return JsonRows(contract, iter([Element(raw.encode(), line)])).take()

    def _judge(self, path: str) -> Judge | str:
        """The judge of a file's records, or why their columns can't be found."""
        if path not in self._judges:
            header = self._headers.get(path)
            try:
                # A load of an earlier version has noted no header: it had the contract's columns in their order.
                layout = layout_without_header(self._contract) if header is None else layout_in(self._contract, header.encode())
                self._judges[path] = Judge(self._contract, self._codec, layout)
            except SourceError as error:
                self._judges[path] = str(error)
        return self._judges[path]
