"""Reads a source of JSON: an array of objects, or JSON Lines, an object a line."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from batchstream.contract.model import Contract
from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.damaged_json import NotAnObjectError, object_pairs, storable
from batchstream.records.escapes import NULL_FIELD
from batchstream.records.fields import DECODE_ERRORS
from batchstream.records.json_elements import Element, NotAnArrayError, elements_of_array, elements_of_lines
from batchstream.records.shown import listed, shorten
from batchstream.records.source_file import SourceFile
from batchstream.records.taken import Row, Taken, UnreadableRow

_MAX_BYTES_AT_ONCE = 8 * 1024 * 1024

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


class JsonRows:
    """Reads the records of a JSON source; fields are found by name in each record.

    Args:
        contract: Whose source it is.
        elements: The records.
    """

    def __init__(self, contract: Contract, elements: Iterator[Element]) -> None:
        self.path = contract.source.path
        self._names = [column.source_name for column in contract.columns]
        self._known = set(self._names)
        # In a column of JSON a text is a JSON text, with its quotes.
        self._fields = [
            (column.source_name, _json if column.type.form in ("json", "jsonb") else _field) for column in contract.columns
        ]
        self._source = contract.source
        self._elements = elements

    def take(self) -> Taken:
        """The next records; none at the end."""
        found: list[Element] = []
        fault: SourceError | None = None
        size = 0
        try:
            for element in islice(self._elements, MAX_RECORDS_PER_BATCH):
                found.append(element)
                size += len(element.raw)
                if size > _MAX_BYTES_AT_ONCE:
                    break
        except NotAnArrayError as error:
            fault = SourceError(f"{self.path}: {error}")
        lines = [element.raw.decode("utf-8", "surrogateescape") for element in found]
        numbers = [element.line for element in found]
        return Taken(0, [self._row(one.raw) for one in found], [1] * len(found), 1, lines, fault, numbers=numbers)

    def _row(self, raw: bytes) -> Row:
        if not raw:
            return UnreadableRow("the record is empty; remove it")
        try:
            values = _object.decode(raw)
            # As many colons after quotes as names means that no name stands twice, of which the decoder takes the last.
            if raw.count(b'":') != len(values):
                values = self._unique(raw)
            if values.keys() != self._known:
                self._require_names(values)
            return [read(values[name]) if name in values else NULL_FIELD for name, read in self._fields]
        except (*DECODE_ERRORS, NotAnObjectError, ValueError) as error:
            return UnreadableRow(f"{shorten(storable(str(error).encode()))}: {shorten(storable(raw))}; write a JSON object")

    def _unique(self, raw: bytes) -> dict[str, msgspec.Raw]:
        values: dict[str, msgspec.Raw] = {}
        for name, value in object_pairs(raw):
            if name in values:
                raise ValueError(f"'{shorten(name)}' stands twice")
            values[name] = msgspec.Raw(value)
        return values

    def _require_names(self, values: dict[str, msgspec.Raw]) -> None:
        missing = [name for name in self._names if name not in values]
        if missing and not self._source.missing_is_null:
            raise ValueError(f"{listed(missing)} is missing, and is NULL only with sourceMissingFields: nulls")
        others = [name for name in values if name not in self._known]
        if others and not self._source.others_ignored:
            raise ValueError(f"{listed(others)} is not in the contract, and is ignored only with sourceOtherColumns: ignored")


def _field(value: msgspec.Raw) -> str:
    raw = bytes(value)
    if raw == b"null":
        return NULL_FIELD
    return _text.decode(raw) if raw.startswith(b'"') else raw.decode()


def _json(value: msgspec.Raw) -> str:
    raw = bytes(value)
    return NULL_FIELD if raw == b"null" else raw.decode()


def json_rows(contract: Contract, file: SourceFile) -> JsonRows:
    """Reads an open source; whether it is an array is seen by its first bracket."""
    if file.begins_with(b"["):
        return JsonRows(contract, elements_of_array(file.blocks()))
    file.check_last_line()
    return JsonRows(contract, elements_of_lines(file.chunks()))
