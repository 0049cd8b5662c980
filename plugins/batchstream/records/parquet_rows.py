"""Reads a source in the format of Apache Parquet, by pyarrow."""

from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

import msgspec

from batchstream.contract.model import Contract
from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.escapes import NULL_FIELD
from batchstream.records.layout import LayoutError, layout_of
from batchstream.records.row_lines import RowLines
from batchstream.records.taken import Row, Taken

_RECORDS_AT_ONCE = 5_000

_json = msgspec.json.Encoder(decimal_format="number")


class ParquetRows:
    """Reads the records of a Parquet file; the lines that it names are numbers of records.

    Args:
        contract: Whose source it is.
        file: The open file.

    Raises:
        SourceError: It is no Parquet, or has other columns than the contract; or pyarrow isn't installed.
    """

    def __init__(self, contract: Contract, file: IO[bytes]) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise SourceError(f"{contract.source.path}: Parquet needs a package; pip install 'batchstream[parquet]'") from error
        self.path = contract.source.path
        self._names = [column.source_name for column in contract.columns]
        self._line = 1
        self._pyarrow = pa
        try:
            found = parquet.ParquetFile(file)
            layout_of(contract, found.schema_arrow.names)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"{self.path}: the file is not Parquet, or cut off: {error}; write it anew") from error
        except LayoutError as error:
            raise SourceError(f"{self.path}: the columns are not the contract's: {error}; mend one of the two") from error
        self._rows = chain.from_iterable(self._read(found))

    def take(self) -> Taken:
        """The next records; none at the end."""
        rows: list[Row] = []
        fault: SourceError | None = None
        try:
            for row in self._rows:
                rows.append(row)
                if len(rows) == MAX_RECORDS_PER_BATCH:
                    break
        except (self._pyarrow.ArrowException, OSError) as error:
            where = f"record {self._line + len(rows)} or one soon after it"
            fault = SourceError(f"{self.path}: {where} can't be read: {error}; write the file anew")
        line = self._line
        self._line += len(rows)
        numbers = range(line, self._line)
        return Taken(0, rows, [1] * len(rows), line, RowLines(self._names, rows), fault, numbers=numbers)

    def _read(self, found: Any) -> Iterator[Iterator[Row]]:
        for batch in found.iter_batches(batch_size=_RECORDS_AT_ONCE, columns=self._names):
            yield map(list, zip(*(self._texts(batch.column(name)) for name in self._names), strict=True))

    def _texts(self, values: Any) -> list[str]:
        pa = self._pyarrow
        kind = values.type
        if pa.types.is_dictionary(kind):
            values = values.dictionary_decode()
            kind = values.type
        if pa.types.is_nested(kind):
            nested = values.to_pylist(maps_as_pydicts="strict")
            found: list[Any] = [None if one is None else _json.encode(one).decode() for one in nested]
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
            found = [None if one is None else f"\\x{one.hex()}" for one in values.to_pylist()]
        else:
            if pa.types.is_timestamp(kind) and kind.unit == "ns":
                # Fails rather than rounds.
                values = values.cast(pa.timestamp("us", kind.tz))
            found = values.cast(pa.string()).to_pylist()
        return [NULL_FIELD if one is None else one for one in found]
