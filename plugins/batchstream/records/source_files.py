"""The files of a source: one, all that a pattern matches, or all of a folder; together they are one load."""

import glob
from pathlib import Path

from batchstream.contract.model import Source
from batchstream.errors import SourceError
from batchstream.records.place import require_inside

MAX_FILES = 10_000


def files_of(source: Source) -> list[Path]:
    """The files, sorted by path, so that each pass over them gives the same records in the same order.

    Of a folder these are the files in it, but not those of its subfolders, nor hidden ones.

    Raises:
        SourceError: There is none, there are too many, or the folder is none that may hold sources.
    """
    path = source.path
    is_pattern = glob.has_magic(str(path)) and not path.exists()
    if not is_pattern and not path.is_dir():
        return [path]
    folder = path if not is_pattern else _beginning(path)
    require_inside(source, folder.resolve())
    found = folder.glob(str(path.relative_to(folder))) if is_pattern else folder.iterdir()
    files = sorted(one for one in found if not one.is_dir() and not one.name.startswith("."))
    if not files:
        what = "matches no file" if is_pattern else "is a folder without files"
        raise SourceError(f"{path}: sourcePath {what}; write one that does, or put the files there")
    if len(files) > MAX_FILES:
        raise SourceError(f"{path}: sourcePath means {len(files):,} files; at most {MAX_FILES:,} are a load: put them together")
    return files


def _beginning(pattern: Path) -> Path:
    """The folder of a pattern in which no part is one."""
    parts = pattern.parts
    plain = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:plain])
