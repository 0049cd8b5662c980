"""Copies a source that lies elsewhere, whole, before a record of it is sent: what is cut off or changes is never read."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from batchstream.contract.elsewhere import Elsewhere, Query, Url
from batchstream.contract.model import Contract
from batchstream.errors import PlaceError, SourceChangedError, SourceError, SourceMissingError, errors_about
from batchstream.records.source_files import MAX_FILES
from batchstream.records.source_reader import check_header

_PREFIX = "batchstream-source-"
_LOCK = "lock"
_YOUNG_SECONDS = 60
"""A folder so young may not have its lock yet."""


E = TypeVar("E", Url, Query)


class Seen(NamedTuple):
    """What a place says of a file.

    Attributes:
        size: In bytes; None if the place doesn't say.
        mark: What a change of the file changes, such as its ETag.
    """

    size: int | None
    mark: str


class Place(Protocol[E]):
    """Where the files of a source lie. Each method raises a SourceError, or a PlaceError if a retry may help."""

    def files(self) -> list[E]:
        """All files of the source."""
        ...

    def look(self, file: E) -> Seen:
        """What the place says of a file now."""
        ...

    def read(self, file: E) -> Iterator[bytes]:
        """The bytes of a file, some at a time."""
        ...


Places = Callable[[Elsewhere], AbstractContextManager[Place[Any]]]
"""Opens the place of a source."""


def look_at(contract: Contract, places: Places | None) -> None:
    """See whether a source that lies elsewhere is there, without reading it.

    Raises:
        SourceMissingError: It is not there.
        SourceError: The place refuses it.
        PlaceError: The place could not be reached.
    """
    with errors_about(path=str(contract.source.path)), _opened(contract, places) as place:
        place.look(_files(contract, place)[0])


@contextmanager
def copied(contract: Contract, places: Places | None) -> Iterator[Contract]:
    """Copy the files of a source that lies elsewhere, and look at their headers; the copies are removed in any case.

    Yields:
        The contract, whose source can be read.

    Raises:
        SourceError: The source is not there, the place refuses it, or its header is not the contract's.
        SourceChangedError: It changed while it was copied.
        PlaceError: The place could not be reached or broke off, or there is no room for the copy.
    """
    if isinstance(contract.source.path, Path):
        yield contract
        return
    with _folder() as folder:
        with errors_about(path=str(contract.source.path)):
            with _opened(contract, places) as place:
                copies = _copies(contract, place, folder)
            readable = replace(contract, source=replace(contract.source, root=folder, copies=copies))
            check_header(readable.incoming)
        yield readable


def _opened(contract: Contract, places: Places | None) -> AbstractContextManager[Place[Any]]:
    path = contract.source.path
    if isinstance(path, Path) or places is None:
        raise SourceError(f"{path}: the source lies elsewhere, and only a load in Airflow copies it; start a run")
    return places(path)


def _files(contract: Contract, place: Place[Any]) -> list[Elsewhere]:
    files = sorted(place.files(), key=str)
    path = contract.source.path
    if not files:
        raise SourceMissingError(f"{path}: there is no such file; write a sourcePath that means one, or put the files there")
    if len(files) > MAX_FILES:
        raise SourceError(f"{path}: sourcePath means {len(files):,} files; at most {MAX_FILES:,} are a load: put them together")
    return files


def _copies(contract: Contract, place: Place[Any], folder: Path) -> dict[Elsewhere, Path]:
    files = _files(contract, place)
    seen = {file: place.look(file) for file in files}
    copies = {file: folder / str(number) for number, file in enumerate(files)}
    sizes = {file: _copy(place, file, copy) for file, copy in copies.items()}
    # All of them once more after the last one: together they are one content.
    for file in files:
        if (now := place.look(file)) != seen[file]:
            raise SourceChangedError(
                f"{file}: the source changed while it was copied (it had {_said(seen[file])} and has {_said(now)}); write it "
                "under another name first, and then rename it"
            )
        if now.size is not None and sizes[file] != now.size:
            raise PlaceError(f"{file}: the source was cut off: {sizes[file]:,} of {now.size:,} bytes arrived; it is tried again")
    if _files(contract, place) != files:
        raise SourceChangedError(
            f"{contract.source.path}: the source changed while it was copied: it has other files now; write new files elsewhere "
            "first, and then move them there together"
        )
    return copies


def _said(seen: Seen) -> str:
    return f"mark {seen.mark}" if seen.size is None else f"{seen.size:,} bytes, mark {seen.mark}"


def _copy(place: Place[Any], file: Elsewhere, copy: Path) -> int:
    """Copy a file, and return how many bytes arrived."""
    size = 0
    with errors_about(path=str(file)):
        try:
            # What the place raises is no OSError.
            with copy.open("xb") as written:
                for block in place.read(file):
                    size += written.write(block)
        except OSError as error:
            raise PlaceError(
                f"{file}: the copy can't be written to {copy.parent.parent}: {error.strerror}; make room there, or name another "
                "folder in the environment variable TMPDIR of Airflow's workers"
            ) from error
    # Long ago for the reader: what is in the making was told by the place.
    os.utime(copy, (0, 0))
    return size


@contextmanager
def _folder() -> Iterator[Path]:
    """A temporary folder, which is removed at the end; those of killed workers are removed at the beginning."""
    _remove_left_over(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name, (Path(name) / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name).resolve()


def _remove_left_over(parent: Path) -> None:
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        # Another account's, or gone meanwhile.
        with suppress(OSError), lock.open() as held:
            if time.time() - lock.stat().st_mtime < _YOUNG_SECONDS:
                continue
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
