"""The files of a source that were read to their end: together they are one content, with one checksum."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from batchstream.contract.elsewhere import Elsewhere
from batchstream.contract.source import Source
from batchstream.errors import SourceChangedError
from batchstream.records.shown import listed
from batchstream.records.source_files import files_of
from batchstream.records.watched_file import Identity, identity_of


class ReadFile(NamedTuple):
    """A file of a source that was read to its end.

    Attributes:
        path: The file.
        header: Its header; None if it has none.
        sha256: Its checksum.
        records: Its records, good and bad.
        rejected_records: The bad ones among them.
        identity: What a change of it would change.
    """

    path: Path | Elsewhere
    header: str | None
    sha256: str
    records: int
    rejected_records: int
    identity: Identity


def sha256_of(read: list[ReadFile]) -> str:
    """Checksum of the one file, or of the paths and checksums of all."""
    if len(read) == 1:
        return read[0].sha256
    return hashlib.sha256("".join(f"{one.path}\0{one.sha256}\n" for one in read).encode()).hexdigest()


def require_unchanged(source: Source, files: list[Source], read: list[ReadFile]) -> None:
    """See that the files which were read are still the source.

    Args:
        source: The whole source.
        files: Its files before the first of them was read.
        read: What was found in each.

    Raises:
        SourceChangedError: One has changed, or there are others now.
    """
    if len(files) < 2:
        return
    changed = [one.path.name for one, source in zip(read, files, strict=True) if identity_of(source.file) != one.identity]
    if changed or files_of(source) != files:
        what = f"{listed(changed)} changed after it was read" if changed else "it has other files now"
        raise SourceChangedError(
            f"{source.path}: the source changed while it was read: {what}; write new files elsewhere first, and then "
            "move them there together"
        )
