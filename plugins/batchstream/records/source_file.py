"""Reads a source file in pieces of bounded size, and takes its checksum."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO

from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Of one line of a source; more is no record that Kafka would take."""

_BLOCK_BYTES = 256 * 1024
_MAX_CHUNK_BYTES = 8 * 1024 * 1024


@contextmanager
def opened(path: Path) -> Iterator["SourceFile"]:
    """Open a source.

    Raises:
        SourceError: It can't be read.
    """
    try:
        with path.open("rb") as file:
            yield SourceFile(path, file)
    except OSError as error:
        raise SourceError(f"{path}: the source can't be read: {error.strerror}; mend sourcePath") from error


class SourceFile:
    """An open source."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._digest = hashlib.sha256()
        self._lines = 0

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

    def _check_length(self, line: bytes) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise SourceError(
                f"{self._path}: line {self._lines + 1}: the line has more than {MAX_LINE_BYTES:,} bytes; "
                "end each record with a line end, and shorten what is longer"
            )
