"""Where a clone may lie: what Java and PostgreSQL can't cope with in a path is told before anything is started."""

from pathlib import Path

from batchstream.local.errors import ServiceError

ELSEWHERE = "move the clone to another folder"

UNUSABLE = (":", '"', "\n")
"""The first ends an entry of a class path, the others an option of Spark's."""

MOST_CHARACTER = "\uffff"
"""Java opens no jar below a folder with a character beyond it, such as an emoji: its class loader decodes half of each."""

MOST_BYTES = 900
"""PostgreSQL takes 1024 (MAXPGPATH), the names of its own files included."""


def require_usable(root: Path, state: Path) -> None:
    """See that services can run from a clone and keep their data.

    Args:
        root: Of the clone, where the jars are.
        state: Where the data are.

    Raises:
        ServiceError: The clone has to lie elsewhere.
    """
    unusable = {character for character in UNUSABLE if character in f"{root}{state}"}
    unusable |= {character for character in str(root) if character > MOST_CHARACTER}
    if unusable:
        raise ServiceError(f"{root}: {' or '.join(sorted(map(repr, unusable)))} can't be in a class path of Java: {ELSEWHERE}")
    for path in (root, state):
        try:
            size = len(str(path).encode())
        except UnicodeEncodeError:
            raise ServiceError(f"{str(path)!r}: the name of the folder is not UTF-8, as Java takes it: {ELSEWHERE}") from None
        if size > MOST_BYTES:
            raise ServiceError(f"{path}: PostgreSQL takes a path of {MOST_BYTES} bytes at most, got {size}: {ELSEWHERE}")
