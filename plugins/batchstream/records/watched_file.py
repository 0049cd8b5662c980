"""Notices that a file changes while it is read."""

import hashlib
import os
import time
from pathlib import Path
from typing import NamedTuple

from batchstream.contract.source import Source
from batchstream.errors import SourceChangedError

MAX_BYTES_OF_SECOND_LOOK = 16 * 1024 * 1024
"""A file up to this size is read a second time at the end, which takes some milliseconds."""

STILL_WRITTEN_SECONDS = 60
"""A file without an end that was changed so short ago may have a writer."""


class Identity(NamedTuple):
    """What a change of a file changes."""

    size: int
    modified_ns: int
    inode: int
    device: int


def identity_of(path: Path) -> Identity | None:
    """That of a file; None if it is gone."""
    try:
        return _identity(path.stat())
    except OSError:
        return None


class WatchedFile:
    """A file that is being read.

    Args:
        source: The source, of which it is the file.
        descriptor: Of the open file.

    Attributes:
        began: What it was when it was opened.
    """

    def __init__(self, source: Source, descriptor: int) -> None:
        self._path = source.path
        self._named = source.file
        self._descriptor = descriptor
        found = os.fstat(descriptor)
        self.began = _identity(found)
        self._status_changed_ns = found.st_ctime_ns

    @property
    def may_have_a_writer(self) -> bool:
        """Whether it was changed a moment ago."""
        return time.time() - self.began.modified_ns / 1e9 < STILL_WRITTEN_SECONDS

    def check_unchanged(self, sha256: bytes | None) -> None:
        """Compare it with what it was.

        Args:
            sha256: Checksum of what was read; None if that is not the whole file.

        Raises:
            SourceChangedError: It has changed, so what was read may be of two contents, or another file has taken its place.
        """
        try:
            now, named = _identity(os.fstat(self._descriptor)), _identity(self._named.stat())
        except OSError as error:
            raise SourceChangedError(f"{self._path}: the source went away while it was read: {error.strerror}") from error
        changed = now != self.began or self._differs(sha256)
        if changed or named[2:] != self.began[2:]:
            what = "changed" if changed else "was replaced by another file"
            raise SourceChangedError(
                f"{self._path}: the source {what} while it was read (it had {self.began.size:,} bytes and has {named.size:,}); "
                "write it under another name first, and then rename it"
            )

    def _differs(self, sha256: bytes | None) -> bool:
        """Whether the content is another one although size and time are as they were.

        The clock of a file has steps of its own, so a small one that was read to its end is read again. Of others the time of
        the last change of any kind has to do, which also new rights change, but which nobody can set back.
        """
        size = self.began.size
        if size > MAX_BYTES_OF_SECOND_LOOK or sha256 is None:
            return os.fstat(self._descriptor).st_ctime_ns != self._status_changed_ns
        return hashlib.sha256(os.pread(self._descriptor, size + 1, 0)).digest() != sha256


def _identity(found: os.stat_result) -> Identity:
    return Identity(found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)
