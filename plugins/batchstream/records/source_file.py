"""Reads the lines of a source in UTF-8, some at a time, takes the checksum of its file, and notices if that changes meanwhile."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from typing import IO, NamedTuple, cast

from batchstream.contract.model import Source, SourceFormat
from batchstream.errors import SourceChangedError, SourceError
from batchstream.records.carriage_returns import LOOK_BYTES, CarriageReturns, LineEndError, ends_lines_with_cr
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.place import open_source
from batchstream.records.recoded import UTF_8, Recoded, RecodedError
from batchstream.records.unpacked import UnpackError, unpack_errors, unpacked

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Of one line of a source; more is no record that Kafka would take."""

MAX_BYTES_OF_SECOND_LOOK = 16 * 1024 * 1024
"""A file up to this size is read a second time at the end, which takes some milliseconds."""

STILL_WRITTEN_SECONDS = 60
"""A file without an end that was changed so short ago may have a writer."""

_BLOCK_BYTES = 256 * 1024
_MAX_CHUNK_BYTES = 8 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Identity(NamedTuple):
    """What a change of a file changes."""

    size: int
    modified_ns: int
    inode: int
    device: int


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
        self._named = source.file
        self._file = file
        found = os.fstat(file.fileno())
        self._began = _identity(found)
        self._status_changed_ns = found.st_ctime_ns
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
        return self._began

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
        size = self._began.size
        if self._is_plain and size and os.pread(self._file.fileno(), 1, size - 1) not in (b"\n", b""):
            self._refuse_open_end()

    def _refuse_open_end(self) -> None:
        if self._source.open_end:
            return
        said = f"{self._path}: the last line has no line end, so the file may be cut off"
        todo = "end it with a line break, or write sourceFinalNewline: optional"
        if time.time() - self._began.modified_ns / 1e9 < STILL_WRITTEN_SECONDS:
            raise SourceChangedError(f"{said}, or still being written; {todo}")
        raise SourceError(f"{said}; {todo}")

    def check_unchanged(self) -> None:
        """Compare the file with what it was when it was opened.

        Raises:
            SourceChangedError: It has changed, so what was read may be of two contents, or another file has taken its place.
        """
        try:
            now, named = _identity(os.fstat(self._file.fileno())), _identity(self._named.stat())
        except OSError as error:
            raise SourceChangedError(f"{self._path}: the source went away while it was read: {error.strerror}") from error
        changed = now != self._began or self._differs()
        if changed or named[2:] != self._began[2:]:
            what = "changed" if changed else "was replaced by another file"
            raise SourceChangedError(
                f"{self._path}: the source {what} while it was read (it had {self._began.size:,} bytes and has {named.size:,}); "
                "write it under another name first, and then rename it"
            )

    def _differs(self) -> bool:
        """Whether the content is another one although size and time are as they were.

        The clock of a file has steps of its own, so a small one that was read to its end is read again. Of others the time of
        the last change of any kind has to do, which also new rights change, but which nobody can set back.
        """
        size = self._began.size
        if size > MAX_BYTES_OF_SECOND_LOOK or (self._is_plain and self._file.tell() != size):
            return os.fstat(self._file.fileno()).st_ctime_ns != self._status_changed_ns
        return hashlib.sha256(os.pread(self._file.fileno(), size + 1, 0)).digest() != self._digest.digest()

    def _check_length(self, line: bytes) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise SourceError(
                f"{self._path}: line {self.lines_read + 1}: the line has more than {MAX_LINE_BYTES:,} bytes; "
                "end each record with a line end, and shorten what is longer"
            )


def identity_of(path: Path) -> Identity | None:
    """That of a file; None if it is gone."""
    try:
        return _identity(path.stat())
    except OSError:
        return None


def _buffered(file: IO[bytes] | RawIOBase) -> BufferedReader:
    return BufferedReader(cast(RawIOBase, file), _BLOCK_BYTES)


def _identity(found: os.stat_result) -> Identity:
    return Identity(found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)
