"""What is in the files of a folder to which servers write meanwhile."""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path


def contents(folder: Path, *, without: Collection[str] = ()) -> Iterator[tuple[Path, bytes]]:
    """Each regular file with its bytes; without what is removed between the listing and the reading, as by a broker.

    Args:
        folder: Where to begin.
        without: Names of folders that are not looked into.
    """
    # `Path.rglob` raises where a folder goes before it is listed.
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in without]
        for name in names:
            path = Path(place, name)
            with suppress(FileNotFoundError):
                if path.is_file():
                    yield path, path.read_bytes()
