"""The files of a source: one, all that a pattern matches, or all of a folder; together they are one load."""

import glob
from dataclasses import replace
from pathlib import Path

from batchstream.contract.source import Source
from batchstream.errors import SourceError
from batchstream.records.place import require_inside

MAX_FILES = 10_000


def files_of(source: Source) -> list[Source]:
    """A source for each of the files, sorted by path, so that each pass over them gives the same records in the same order.

    Of a folder these are the files in it, but not those of its subfolders, nor hidden ones.

    Raises:
        SourceError: There is none, there are too many, or the folder is none that may hold sources.
    """
    path = source.path
    if not isinstance(path, Path):
        # Without copies its own path says what is missing.
        return [replace(source, path=file) for file in sorted(source.copies, key=str) or [path]]
    files = _found(source, path)
    if not files:
        what = "is a folder without files" if path.is_dir() else "matches no file"
        raise SourceError(f"{path}: sourcePath {what}; write one that does, or put the files there")
    if len(files) > MAX_FILES:
        raise SourceError(f"{path}: sourcePath means {len(files):,} files; at most {MAX_FILES:,} are a load: put them together")
    return [replace(source, path=file) for file in files]


def is_there(source: Source) -> bool:
    """Whether there is a source to be read: the file, or one that the pattern matches, or one in the folder.

    Raises:
        SourceError: It is where no source may lie, so that to wait for it is no use.
    """
    found = _found(source, source.file)
    if found:
        require_inside(source, found[0].resolve())
    return any(one.exists() for one in found)


def _found(source: Source, path: Path) -> list[Path]:
    """The files that a path means; a path that is neither a pattern nor a folder means itself, whether it is there or not."""
    is_pattern = glob.has_magic(str(path)) and not path.exists()
    if not is_pattern and not path.is_dir():
        return [path]
    folder = path if not is_pattern else _beginning(path)
    require_inside(source, folder.resolve())
    found = folder.glob(str(path.relative_to(folder))) if is_pattern else folder.iterdir()
    return sorted(one for one in found if not one.is_dir() and not one.name.startswith("."))


def _beginning(pattern: Path) -> Path:
    """The folder of a pattern in which no part is one."""
    parts = pattern.parts
    plain = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:plain])
