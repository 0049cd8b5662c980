"""Names of tables and columns: all that PostgreSQL can have, and what stands for them where fewer letters are allowed."""

import hashlib
import re

MAX_NAME_BYTES = 63
"""PostgreSQL cuts longer names without an error."""

SYSTEM_COLUMNS = ("cmax", "cmin", "ctid", "tableoid", "xmax", "xmin")
"""Names that PostgreSQL keeps to itself in every table."""

MAX_HANDLE_LENGTH = 40
"""Leaves room for a load's id, and for suffixes such as that of the DAG."""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_DIGEST_LENGTH = 8


def why_impossible(name: str) -> str | None:
    """What PostgreSQL can't take of a name, and what to write; None if it can have it."""
    # U+0000 and half characters don't get through the reader of YAML.
    if (size := len(name.encode())) > MAX_NAME_BYTES:
        return f"got {name!r}, which has {size} bytes; write at most {MAX_NAME_BYTES}, which is what PostgreSQL keeps of a name"
    return None


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def handle_of(table: str) -> str:
    """What stands for a table in names that may have few letters: small letters of ASCII, digits and underscores.

    A plain name is its own handle. The handle of another one ends in a digest of it, as other names may resemble it.
    """
    if _PLAIN.fullmatch(table) and len(table) <= MAX_HANDLE_LENGTH:
        return table
    digest = hashlib.sha256(table.encode()).hexdigest()[:_DIGEST_LENGTH]
    resembling = re.sub(r"[^a-z0-9]+", "_", table.lower())[: MAX_HANDLE_LENGTH - _DIGEST_LENGTH - 3].strip("_")
    return f"{resembling if _PLAIN.match(resembling) else f't_{resembling}'.rstrip('_')}_{digest}"
