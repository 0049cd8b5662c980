"""Opens a source: a regular file inside the folders that may hold sources, and nothing else.

Whoever writes a contract could otherwise have any file of the machine read, and see parts of it in messages and tables.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from batchstream.contract.source import Source
from batchstream.errors import SourceError

DATA_ROOTS_VARIABLE = "BATCHSTREAM_DATA_ROOTS"
"""Environment variable with further folders that may hold sources, separated by colons."""

_SECRET_FOLDERS = ("secrets",)
_KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


def open_source(source: Source) -> IO[bytes]:
    """Open the file of a source.

    Raises:
        SourceError: It can't be read, is no regular file, or lies outside of the folders that may hold sources; then nothing
            of it is read.
    """
    try:
        path = source.file.resolve()
        require_inside(source, path)
        # A named pipe without a writer would block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(f"{source.path}: the source can't be read: {error.strerror}; mend sourcePath") from error
    except RuntimeError as error:
        # Python's word for symbolic links that lead to themselves, up to 3.12.
        raise SourceError(f"{source.path}: the source can't be read: {error}; mend sourcePath") from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = next((said for is_kind, said in _KINDS.items() if is_kind(mode)), "no file")
        raise SourceError(f"{source.path}: the source is {kind}; write the path of a regular file as sourcePath")
    return open(descriptor, "rb")  # noqa: PTH123 - a path would be opened anew


def require_inside(source: Source, path: Path) -> None:
    """See that a resolved path lies where sources may lie.

    Raises:
        SourceError: It doesn't, is hidden, or a secret.
    """
    for root in _roots(source):
        if path.is_relative_to(root):
            inside = path.relative_to(root).parts
            if any(part.startswith(".") for part in inside) or (
                root == source.root and inside[:1] and inside[0] in _SECRET_FOLDERS
            ):
                raise SourceError(
                    f"{source.path}: sourcePath leads to a hidden file or a secret; move the source to another folder"
                )
            return
    raise SourceError(
        f"{source.path}: sourcePath leads out of {source.root}; move the source there, or name its folder in the environment "
        f"variable {DATA_ROOTS_VARIABLE}"
    )


def _roots(source: Source) -> Iterator[Path]:
    yield source.root
    for root in os.environ.get(DATA_ROOTS_VARIABLE, "").split(os.pathsep):
        if root:
            yield Path(root).resolve()
