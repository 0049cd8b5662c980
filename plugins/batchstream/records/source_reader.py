"""Reads a source file into batches of records as JSON, streaming: memory doesn't grow with the file.

The codec that the consumer uses judges each batch before it is sent: what leaves here lands.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import chain

from batchstream.contract.model import Contract
from batchstream.contract.source import Source
from batchstream.errors import SourceError, errors_about
from batchstream.records.codec import RecordCodec
from batchstream.records.footer import without_footer
from batchstream.records.formats import typed_rows
from batchstream.records.header import read_layout
from batchstream.records.judge import BLANK_LINE, Judge, Values
from batchstream.records.layout import Layout
from batchstream.records.messages import Batch
from batchstream.records.plain_lines import PlainLines, may_be_plain
from batchstream.records.read_files import ReadFile, require_unchanged, sha256_of
from batchstream.records.rejects import BadRecord, Keep, Rejects
from batchstream.records.rows import RowReader
from batchstream.records.source_file import SourceFile, opened
from batchstream.records.source_files import files_of
from batchstream.records.taken import Rows, Taken

MAX_BATCH_BYTES = 512 * 1024
"""Of more than one record: half of what producers, brokers and topics take in a message unless they are told otherwise."""


def check_header(contract: Contract) -> None:
    """Read no more than the header of each file of the source.

    Raises:
        SourceError: A file is missing, empty, cut off or not UTF-8, or its header doesn't name the contract's columns.
        SourceChangedError: It has no end, and may still be being written.
    """
    for source in files_of(contract.source):
        with errors_about(path=str(source.path)), opened(source) as file:
            if typed_rows(replace(contract, source=source), file) is None:
                read_layout(replace(contract, source=source), file)
                file.check_last_line()


class SourceReader:
    """Reads a source; each pass over it gives the same batches.

    Line ends are LF or CRLF, or CR in the whole file. A byte order mark is allowed, and so are blank lines at the end, but not
    between records. Columns are found by their names in the header, in any order.

    Args:
        contract: Names the source.
        on_rejected: Is given each bad record, up to `MAX_KEPT_REJECTS`.

    Attributes:
        records: Records that this pass has read so far, good and bad.
        rejected_records: The bad ones among them.
        batches: Batches that it has given so far.
        files: Those that it has read to their end.
    """

    def __init__(self, contract: Contract, on_rejected: Keep | None = None) -> None:
        self._contract = contract
        self._source = contract.source
        self._on_rejected = on_rejected
        self._codec = RecordCodec(contract)
        self._width = len(contract.columns)
        self._plain = PlainLines(contract) if may_be_plain(contract) else None
        self._start()

    def _start(self) -> None:
        self.records = self.batches = 0
        self.files: list[ReadFile] = []
        self._rejects = Rejects(self._source.path, self._contract.rejected_records_allowed, self._on_rejected)

    @property
    def rejected_records(self) -> int:
        """Bad records so far."""
        return self._rejects.count

    @property
    def sha256(self) -> str:
        """Checksum of what was read: of the one file, or of the paths and checksums of all."""
        return sha256_of(self.files)

    def check_header(self) -> None:
        """Read the headers only; `__iter__` does it too."""
        check_header(self._contract)

    def __iter__(self) -> Iterator[Batch]:
        """Batches of 100 records, or of fewer where those would be more than `MAX_BATCH_BYTES`.

        The last batch of a file has what is left. A batch ends before a bad record. After more bad records than are allowed no
        batch is given, while the rest is read.

        Raises:
            SourceError: There are more bad records than allowed: their number and the first ten; or the source has no good
                record, or a fault behind which records can't be told apart.
            SourceChangedError: It changed meanwhile: batches may be of two contents.
        """
        self._start()
        with errors_about(path=str(self._source.path)):
            files = files_of(self._source)
            for source in files:
                yield from self._read_file(source)
            require_unchanged(self._source, files, self.files)
            self._rejects.check(self.records)
            if self.records == self.rejected_records:
                empty = "the source has a header but no record" if self._source.has_header else "the source has no record"
                what = "every record is bad" if self.records else empty
                raise SourceError(f"{self._source.path}: {what}; write at least one")

    def _read_file(self, source: Source) -> Iterator[Batch]:
        before, rejected_before = self.records, self.rejected_records
        contract = replace(self._contract, source=source)
        with opened(source) as file:
            try:
                layout, rows = typed_rows(contract, file) or (yield from self._text_rows(contract, file))
                yield from self._batches(rows, Judge(contract, self._codec, layout))
            except SourceError as error:
                # A file that is half written has faults that it won't have later.
                file.check_unchanged()
                raise self._rejects.before(error) from error
            except Exception:
                # The same of what unpacks and decodes it.
                file.check_unchanged()
                raise
            file.check_unchanged()
        records, rejected = self.records - before, self.rejected_records - rejected_before
        self.files.append(ReadFile(source.path, layout.header, file.sha256, records, rejected, file.identity))

    def _text_rows(self, contract: Contract, file: SourceFile) -> Generator[Batch, None, tuple[Layout, Rows]]:
        """Batches of the first lines, if they hold nothing but JSON numbers; returns the reader of the others."""
        before = self.records
        layout = read_layout(contract, file)
        file.check_last_line()
        line, chunks = 1 + file.lines_read, file.chunks()
        if contract.source.footer_lines:
            chunks = without_footer(chunks, contract.source.footer_lines)
        rest = (yield from self._plain_batches(self._plain, chunks)) if self._plain and layout.in_order else chunks
        # So far each record was a line.
        return layout, RowReader(
            contract.source, rest, line + self.records - before, has_carriage_returns=file.has_carriage_returns
        )

    def _plain_batches(self, plain: PlainLines, chunks: Iterator[list[bytes]]) -> Generator[Batch, None, Iterator[list[bytes]]]:
        """Batches of lines that hold nothing but JSON numbers; returns the other lines, which are read by field."""
        for lines in chunks:
            values = plain.values(lines)
            if values is None or not self._codec.accepts(value := self._codec.encode(values), len(lines)):
                return chain([lines], chunks)
            yield from self._bounded(values, value)
        return chunks

    def _batches(self, reader: Rows, judge: Judge) -> Iterator[Batch]:
        while True:
            taken = reader.take()
            for line in range(taken.line - taken.blank_lines, taken.line):
                if line not in taken.comments:
                    self._reject(BadRecord(self.records + 1, line, None, BLANK_LINE, "", reader.path))
            if taken.rows:
                yield from self._judged(taken, judge)
            if taken.fault is not None:
                raise taken.fault
            if not taken.rows:
                return

    def _judged(self, taken: Taken, judge: Judge) -> Iterator[Batch]:
        good = judge.all_good(taken)
        if good is not None:
            yield from self._bounded(*good)
            return
        for one in judge.sift(taken, self.records + 1):
            if isinstance(one, BadRecord):
                self._reject(one)
            else:
                yield from self._bounded(one, self._codec.encode(one))

    def _reject(self, bad: BadRecord) -> None:
        self.records += 1
        self._rejects.add(bad)

    def _bounded(self, values: Values, value: bytes) -> Iterator[Batch]:
        """The batch of some values, or, if that is too large, those of its halves."""
        records = len(values) // self._width
        if len(value) > MAX_BATCH_BYTES and records > 1:
            middle = records // 2 * self._width
            for half in (values[:middle], values[middle:]):
                yield from self._bounded(half, self._codec.encode(half))
            return
        first_record_id = self.records + 1
        self.records += records
        if not self._rejects.too_many:
            self.batches += 1
            yield Batch(first_record_id, value)
