"""Reads the lines of a source in UTF-8, some at a time, and takes the checksum of its file."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO, RawIOBase
from typing import IO, cast

from batchstream.contract.source import Source, SourceFormat
from batchstream.errors import SourceChangedError, SourceError
from batchstream.records.carriage_returns import LOOK_BYTES, CarriageReturns, LineEndError, ends_lines_with_cr
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.place import open_source
from batchstream.records.recoded import UTF_8, Recoded, RecodedError
from batchstream.records.unpacked import UnpackError, unpack_errors, unpacked
from batchstream.records.watched_file import Identity, WatchedFile

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Of one line of a source; more is no record that Kafka would take."""

_BLOCK_BYTES = 256 * 1024
_MAX_CHUNK_BYTES = 8 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@contextmanager
def opened(source: Source) -> Iterator["SourceFile"]:
    """Open a source.

    Raises:
        SourceError: It can't be read, or isn't what its contract says.
    """
    try:
        with open_source(source) as file, unpack_errors():
            yield SourceFile(source, file)
    except (UnpackError, RecodedError, LineEndError) as error:
        raise SourceError(f"{source.path}: {error}") from error
    except OSError as error:
        raise SourceError(f"{source.path}: the source can't be read: {error.strerror}; mend sourcePath") from error


class SourceFile:
    """An open source.

    Attributes:
        lines_read: Lines so far.
        has_carriage_returns: Whether its lines end with CR alone; they are read as if they ended with LF.
    """

    def __init__(self, source: Source, file: IO[bytes]) -> None:
        self._source = source
        self._path = source.path
        self._file = file
        self._watched = WatchedFile(source, file.fileno())
        self.lines_read = 0
        is_text = source.format not in (SourceFormat.PARQUET, SourceFormat.XLSX)
        content = unpacked(file) if is_text else None
        self._is_compressed = content is not None
        # Of a file that is not what its lines are, the checksum is taken first; of any other while it is read.
        self._digest = hashlib.sha256()
        self._is_plain = is_text and content is None and source.encoding == UTF_8
        self.has_carriage_returns = self._is_plain and ends_lines_with_cr(os.pread(file.fileno(), LOOK_BYTES, 0))
        self._is_plain = self._is_plain and not self.has_carriage_returns
        if not self._is_plain:
            file.seek(0)
            self._digest = hashlib.file_digest(cast(BufferedReader, file), "sha256")
            file.seek(0)
            content = content or file
            if source.encoding != UTF_8:
                content = cast(IO[bytes], Recoded(content, source.encoding))
            content = file if not is_text else _buffered(content)
            if is_text and ends_lines_with_cr(cast(BufferedReader, content).peek()):
                self.has_carriage_returns = True
                content = _buffered(CarriageReturns(content))
        self._lines = cast(BufferedReader, content or file)
        self._last_byte = b"\n"

    @property
    def identity(self) -> Identity:
        """What it was when it was opened."""
        return self._watched.began

    @property
    def sha256(self) -> str:
        """Checksum of what was read so far."""
        return self._digest.hexdigest()

    def read_line(self) -> bytes:
        """The next line with its end; nothing at the end of the file."""
        line = self._lines.readline(MAX_LINE_BYTES + 1)
        self._note(line)
        self._check_length(line)
        self.lines_read += bool(line)
        return line.removeprefix(_BYTE_ORDER_MARK) if self.lines_read == 1 else line

    def chunks(self) -> Iterator[list[bytes]]:
        """The rest of the lines with their ends, a hundred at a time, or fewer if they are long."""
        rest: list[bytes] = []
        while block := self._lines.read(_BLOCK_BYTES):
            # To the end of a line.
            block += self._lines.readline(MAX_LINE_BYTES + 1)
            self._note(block)
            if not self.lines_read:
                block = block.removeprefix(_BYTE_ORDER_MARK)
            lines = BytesIO(block).readlines()
            self.lines_read += len(lines) - 1
            self._check_length(lines[-1])
            self.lines_read += 1
            lines = rest + lines
            whole = len(lines) - len(lines) % MAX_RECORDS_PER_BATCH
            for begin in range(0, whole, MAX_RECORDS_PER_BATCH):
                yield lines[begin : begin + MAX_RECORDS_PER_BATCH]
            rest = lines[whole:]
            if sum(map(len, rest)) > _MAX_CHUNK_BYTES:
                yield rest
                rest = []
        if rest:
            yield rest
        if self._last_byte != b"\n":
            self._refuse_open_end()

    def blocks(self) -> Iterator[bytes]:
        """The rest of the text, some at a time."""
        while block := self._lines.read(_BLOCK_BYTES):
            self._note(block)
            yield block

    def begins_with(self, begin: bytes) -> bool:
        """Whether the text, of which nothing was read yet, begins so, blanks and a byte order mark left aside."""
        return self._lines.peek(64).removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(begin)

    @property
    def binary(self) -> IO[bytes]:
        """The file itself, for a reader of a format that is no text.

        Raises:
            SourceError: It is compressed: such formats compress their parts themselves.
        """
        if self._is_compressed:
            raise SourceError(f"{self._path}: the file is compressed, and not {self._source.format}; unpack it")
        return self._file

    def _note(self, read: bytes) -> None:
        if self._is_plain:
            self._digest.update(read)
        self._last_byte = read[-1:] or self._last_byte

    def check_last_line(self) -> None:
        """Look whether the last line has its end, before anything is read; of a file that isn't plain only `chunks` can tell.

        Raises:
            SourceError: It has none, and the contract doesn't allow that: the file may have been cut off.
            SourceChangedError: The same of a file that somebody may be writing.
        """
        size = self.identity.size
        if self._is_plain and size and os.pread(self._file.fileno(), 1, size - 1) not in (b"\n", b""):
            self._refuse_open_end()

    def _refuse_open_end(self) -> None:
        if self._source.open_end:
            return
        said = f"{self._path}: the last line has no line end, so the file may be cut off"
        todo = "end it with a line break, or write sourceFinalNewline: optional"
        if self._watched.may_have_a_writer:
            raise SourceChangedError(f"{said}, or still being written; {todo}")
        raise SourceError(f"{said}; {todo}")

    def check_unchanged(self) -> None:
        """Compare the file with what it was when it was opened.

        Raises:
            SourceChangedError: It has changed, so what was read may be of two contents, or another file has taken its place.
        """
        is_whole = not self._is_plain or self._file.tell() == self.identity.size
        self._watched.check_unchanged(self._digest.digest() if is_whole else None)

    def _check_length(self, line: bytes) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise SourceError(
                f"{self._path}: line {self.lines_read + 1}: the line has more than {MAX_LINE_BYTES:,} bytes; "
                "end each record with a line end, and shorten what is longer"
            )


def _buffered(file: IO[bytes] | RawIOBase) -> BufferedReader:
    return BufferedReader(cast(RawIOBase, file), _BLOCK_BYTES)
