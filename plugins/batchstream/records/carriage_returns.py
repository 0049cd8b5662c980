"""Reads a text whose lines end with a bare carriage return (CR), as old Macs wrote it, as one whose lines end with LF."""

import io
from typing import IO

CR, LF = b"\r", b"\n"
LOOK_BYTES = 256 * 1024
"""Of the beginning of a text, which must have a line end."""

_BLOCK_BYTES = 256 * 1024

BARE = "a carriage return stands in the line without a line feed; end all lines with LF, CRLF or CR, or put this text in quotes"


def ends_lines_with_cr(beginning: bytes) -> bool:
    """Whether the first lines of a text end with CR alone; LF and CRLF are the usual ends."""
    return CR in beginning and LF not in beginning


class LineEndError(ValueError):
    """Another line end stands among those of CR; the message goes on after the path of the source."""


class CarriageReturns(io.RawIOBase):
    """The bytes of a text with LF in the place of each CR.

    Args:
        file: The text.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._rest = b""
        self._line = 1

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, or a part of it; 0 at the end."""
        if not self._rest:
            block = self._file.read(_BLOCK_BYTES)
            if LF in block:
                line = self._line + block[: block.index(LF)].removesuffix(CR).count(CR)
                raise LineEndError(
                    f"line {line}: a line feed (LF) stands here, and each line before it ends with a bare carriage return (CR); "
                    "end all lines with one of LF, CRLF and CR, also within quotes"
                )
            self._line += block.count(CR)
            self._rest = block.replace(CR, LF)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
