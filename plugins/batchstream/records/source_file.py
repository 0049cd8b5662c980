"""Reads a source file in pieces of bounded size, takes its checksum, and notices if it changes meanwhile."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, NamedTuple

from batchstream.contract.model import Source
from batchstream.errors import SourceChangedError, SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.place import open_source

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Of one line of a source; more is no record that Kafka would take."""

MAX_BYTES_OF_SECOND_LOOK = 16 * 1024 * 1024
"""A file up to this size is read a second time at the end, which takes some milliseconds."""

STILL_WRITTEN_SECONDS = 60
"""A file without an end that was changed so short ago may have a writer."""

_BLOCK_BYTES = 256 * 1024
_MAX_CHUNK_BYTES = 8 * 1024 * 1024


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
        SourceError: It can't be read.
    """
    try:
        with open_source(source) as file:
            yield SourceFile(source, file)
    except OSError as error:
        raise SourceError(f"{source.path}: the source can't be read: {error.strerror}; mend sourcePath") from error


class SourceFile:
    """An open source."""

    def __init__(self, source: Source, file: IO[bytes]) -> None:
        self._source = source
        self._path = source.path
        self._file = file
        self._digest = hashlib.sha256()
        self._lines = 0
        self._began = _identity(os.fstat(file.fileno()))

    @property
    def sha256(self) -> str:
        """Checksum of what was read so far."""
        return self._digest.hexdigest()

    def read_line(self) -> bytes:
        """The next line with its end; nothing at the end of the file."""
        line = self._file.readline(MAX_LINE_BYTES + 1)
        self._digest.update(line)
        self._check_length(line)
        self._lines += 1
        return line

    def chunks(self) -> Iterator[list[bytes]]:
        """The rest of the lines with their ends, a hundred at a time, or fewer if they are long."""
        rest: list[bytes] = []
        while block := self._file.read(_BLOCK_BYTES):
            # To the end of a line.
            block += self._file.readline(MAX_LINE_BYTES + 1)
            self._digest.update(block)
            lines = BytesIO(block).readlines()
            self._lines += len(lines) - 1
            self._check_length(lines[-1])
            self._lines += 1
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

    def check_last_line(self) -> None:
        """Look whether the last line has its end.

        Raises:
            SourceError: It has none, and the contract doesn't allow that: the file may have been cut off.
            SourceChangedError: The same of a file that somebody may be writing.
        """
        size = self._began.size
        if self._source.open_end or not size or os.pread(self._file.fileno(), 1, size - 1) in (b"\n", b""):
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
            now, named = _identity(os.fstat(self._file.fileno())), _identity(self._path.stat())
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
        """Whether a small file that was read to its end has another content now; the clock of a file has steps of its own."""
        read = self._file.tell()
        if read != self._began.size or read > MAX_BYTES_OF_SECOND_LOOK:
            return False
        return hashlib.sha256(os.pread(self._file.fileno(), read + 1, 0)).digest() != self._digest.digest()

    def _check_length(self, line: bytes) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise SourceError(
                f"{self._path}: line {self._lines + 1}: the line has more than {MAX_LINE_BYTES:,} bytes; "
                "end each record with a line end, and shorten what is longer"
            )


def _identity(found: os.stat_result) -> Identity:
    return Identity(found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)
