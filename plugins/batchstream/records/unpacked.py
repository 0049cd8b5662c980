"""Unpacks a source that is compressed, known by its first bytes: gzip, bzip2, xz, zstd, or a zip archive of one file."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from batchstream.records.shown import listed

_WORKBOOK = "[Content_Types].xml"
_NOT_DATA = ("__MACOSX/", ".DS_Store")
"""What macOS adds to an archive."""

DAMAGES = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile)
"""What the standard library raises for damaged data; bz2 raises OSError, and zstd an error of its own."""


class UnpackError(ValueError):
    """A source can't be unpacked; the message goes on after its path."""


def unpacked(file: IO[bytes]) -> IO[bytes] | None:
    """What an open file holds, unpacked; None if it isn't compressed.

    Args:
        file: At its beginning, where it is again afterwards.

    Raises:
        UnpackError: It holds more or less than one file, or needs what isn't installed.
    """
    begin = file.read(16)
    file.seek(0)
    if begin.startswith(b"\x1f\x8b\x08"):
        return gzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[return-value]
    if begin.startswith(b"BZh") and begin[4:10] == b"1AY&SY":
        return bz2.BZ2File(file)
    if begin.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile(file)
    if begin.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd(file)
    if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _only_member(file)
    return None


@contextmanager
def unpack_errors() -> Iterator[None]:
    """Turn what a decompressor says of damaged data into UnpackError."""
    try:
        yield
    except DAMAGES as error:
        raise UnpackError(_damaged(error)) from error
    except Exception as error:
        # bz2 raises OSError without a number, zstd an error of its own, and zipfile RuntimeError for a password.
        if (isinstance(error, OSError) and error.errno is None) or type(error).__name__ in ("ZstdError", "RuntimeError"):
            raise UnpackError(_damaged(error)) from error
        raise


def _damaged(error: Exception) -> str:
    return f"the compressed file is damaged or cut off: {error}; write it anew"


def _zstd(file: IO[bytes]) -> IO[bytes]:
    try:
        from backports import zstd
    except ImportError as error:
        raise UnpackError(
            "is compressed by zstd, for which a package is missing; pip install 'batchstream[zstd]', or write it with gzip"
        ) from error
    return cast(IO[bytes], zstd.ZstdFile(file))


def _only_member(file: IO[bytes]) -> IO[bytes]:
    with unpack_errors():
        archive = zipfile.ZipFile(file)
    names = [one.filename for one in archive.infolist() if not (one.is_dir() or one.filename.startswith(_NOT_DATA))]
    if _WORKBOOK in names:
        raise UnpackError("is an Excel workbook (xlsx); write sourceFormat: xlsx")
    if len(names) != 1:
        raise UnpackError(f"is a zip archive of {len(names):,} files ({listed(names)}); write one that holds a single file")
    with unpack_errors():
        return archive.open(names[0])
