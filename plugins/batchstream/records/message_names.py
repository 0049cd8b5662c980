"""What messages call the columns of a contract."""

import re
from collections.abc import Sequence

from batchstream.contract.model import Column

_ESCAPED = re.compile(r'["\\\x00-\x1f]')
"""What JSON escapes. Then the end of a name looks like one within a text, and msgspec takes no such name for a field."""


def message_names(columns: Sequence[Column]) -> list[str]:
    """Of each column, its name; a character that JSON would escape is an underscore there.

    So that no two are the same, further underscores follow where that is another column's name.
    """
    names = {column.name for column in columns}
    found: list[str] = []
    for column in columns:
        name = _ESCAPED.sub("_", column.name)
        while name != column.name and name in names:
            name += "_"
        names.add(name)
        found.append(name)
    return found
