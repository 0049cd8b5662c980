"""Reads a text in another encoding as UTF-8."""

import codecs
import io
import re
from typing import IO

UTF_8 = "utf-8"

_BLOCK_BYTES = 256 * 1024
_UNDECODABLE = re.compile(rb"\xed[\xb2\xb3][\x80-\xbf]")


def first_undecodable(text: bytes) -> bytes | None:
    """The first byte of a text of `Recoded` that had no meaning, as it stands in the source."""
    found = _UNDECODABLE.search(text)
    return found and found[0].decode("utf-8", "surrogatepass").encode("ascii", "surrogateescape")


class RecodedError(ValueError):
    """A byte has no meaning in the encoding, and what follows it can't be told apart."""


class Recoded(io.RawIOBase):
    """The bytes of a text in UTF-8.

    A byte without a meaning becomes one that is not UTF-8, so that it costs its record and no more.

    Args:
        file: The text in its own encoding.
        encoding: Python's name of it.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self._rest = b""
        self._bytes_read = 0
        self._ended = False

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, or a part of it; 0 at the end."""
        while not self._rest and not self._ended:
            block = self._file.read(_BLOCK_BYTES)
            self._ended = not block
            try:
                text = self._decoder.decode(block, self._ended)
            except UnicodeDecodeError as error:
                raise RecodedError(f"{error.reason} within the {len(block):,} bytes after byte {self._bytes_read:,}") from error
            self._bytes_read += len(block)
            # As three bytes that are never UTF-8, whatever stands beside them.
            self._rest = text.encode("utf-8", "surrogatepass")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
