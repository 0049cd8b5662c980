"""What a contract says of its source file: the ``customProperties`` that begin with ``source``."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batchstream.contract.model import Source, SourceFormat

SOURCE_SETTINGS: dict[str, type] = {
    "sourcePath": str,
    "sourceFormat": str,
    "sourceDelimiter": str,
    "sourceQuote": str,
    "sourceEscape": str,
    "sourceNull": str,
    "sourceFinalNewline": str,
}
"""Name → type of its value."""

NO_QUOTE = "none"
_OF_CSV = ("sourceDelimiter", "sourceQuote", "sourceEscape")
_FINAL_NEWLINE = ("required", "optional")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def read_source(path: Path, given: Mapping[str, Any]) -> Source:
    """The source of a contract.

    Args:
        path: The contract.
        given: Its settings, by name.

    Raises:
        ValueError: One is missing, or its value has no meaning: setting, value, what to write.
    """
    if "sourcePath" not in given:
        raise ValueError("sourcePath is missing; write the source file, relative to the project's folder")
    name = given["sourcePath"]
    if "\0" in name:
        raise ValueError(f"sourcePath: got {name!r}; write a path without U+0000")
    if _URL.match(name):
        raise ValueError(f"sourcePath: got {name!r}; a source is a file: download it, and write its path")
    source_format = _one_of("sourceFormat", given.get("sourceFormat", SourceFormat.CSV), list(SourceFormat))
    if source_format == SourceFormat.WHITESPACE:
        for setting in _OF_CSV:
            if setting in given:
                raise ValueError(f"{setting}: has no meaning for sourceFormat whitespace; remove it")
    delimiter = given.get("sourceDelimiter", ",")
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"+-.\r\n\0':
        raise ValueError(f"sourceDelimiter: got {delimiter!r}; write one character, such as ';'")
    quoted = _one_of("sourceQuote", given.get("sourceQuote", '"'), ['"', NO_QUOTE]) == '"'
    escape, null = _escape(given.get("sourceEscape"), delimiter), given.get("sourceNull", "")
    if escape and escape in null and not (len(null) == 2 and null.startswith(escape) and null[1].isupper()):
        raise ValueError(
            f"sourceNull: got {null!r}; write a text without the escape, or the escape and a capital, such as {escape}N"
        )
    # dags/contracts/NAME.odcs.yaml → the folder that holds dags/.
    root = path.resolve().parent.parent.parent
    return Source(
        root / name,
        SourceFormat(source_format),
        delimiter,
        null,
        root=root,
        quoted=quoted,
        quotes_named="sourceQuote" in given,
        escape=escape,
        open_end=_one_of("sourceFinalNewline", given.get("sourceFinalNewline", "required"), _FINAL_NEWLINE) == "optional",
    )


def _one_of(setting: str, value: str, allowed: Any) -> str:
    if value not in allowed:
        raise ValueError(f"{setting}: got {value!r}; write one of {', '.join(allowed)}")
    return value


def _escape(escape: str | None, delimiter: str) -> str | None:
    if escape is None:
        return None
    if len(escape) != 1 or escape.isalnum() or escape in f'"+-.\r\n\0 {delimiter}':
        raise ValueError(f"sourceEscape: got {escape!r}; write one character that is not the delimiter, such as '\\'")
    return escape
