"""Reads the settings of a source, and says which of them has no meaning."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchstream.contract.elsewhere import read_query_source
from batchstream.contract.encodings import encoding_named
from batchstream.contract.source import Source, SourceFormat
from batchstream.contract.source_place import connection_of, place_of
from batchstream.contract.source_settings import ENDPOINT, FORMATS_OF, NONE, QUERY_SETTINGS, one_of
from batchstream.contract.spelling import SPELLING_SETTINGS, USUAL, Spelling, read_spelling

MAX_SKIPPED_LINES = 10_000
MAX_WIDTH = 1_000_000
MAX_WAIT_MINUTES = 7 * 24 * 60


def read_source(path: Path, given: Mapping[str, Any]) -> Source:
    """The source of a contract.

    Args:
        path: The contract.
        given: Its settings, by name.

    Raises:
        ValueError: One is missing, or its value has no meaning: setting, value, what to write.
    """
    # dags/contracts/NAME.odcs.yaml → the folder that holds dags/.
    # Not Path.resolve: a load goes on when its contract's file has become a symbolic link that leads to itself.
    root = Path(os.path.realpath(path)).parent.parent.parent
    if named := [name for name in QUERY_SETTINGS if name in given]:
        return _query(root, named, given)
    place = place_of(root, given)
    source_format = one_of("sourceFormat", given, SourceFormat.CSV)
    for setting, formats in FORMATS_OF.items():
        if setting in given and source_format not in formats:
            raise ValueError(f"{setting}: has no meaning for sourceFormat {source_format}; remove it")
    delimiter = given.get("sourceDelimiter", ",")
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"+-.\r\n\0':
        raise ValueError(f"sourceDelimiter: got {delimiter!r}; write one character, such as ';'")
    quoted = one_of("sourceQuote", given) == '"'
    escape, spelling = _escape(given.get("sourceEscape"), delimiter), _spelling(source_format, given)
    for null in spelling.nulls:
        if escape and escape in null and not (len(null) == 2 and null.startswith(escape) and null[1].isupper()):
            raise ValueError(
                f"sourceNull: got {null!r}; write a text without the escape, or the escape and a capital, such as {escape}N"
            )
    return Source(
        place,
        SourceFormat(source_format),
        delimiter,
        spelling,
        root=root,
        quoted=quoted,
        quotes_named="sourceQuote" in given,
        escape=escape,
        open_end=one_of("sourceFinalNewline", given) == "optional",
        has_header=one_of("sourceHeader", given) == "required",
        others_ignored=_others_ignored(given),
        skipped_lines=_lines("sourceSkipLines", given),
        footer_lines=_lines("sourceFooterLines", given),
        comment=_comment(given.get("sourceComment"), delimiter),
        encoding=_encoding(given.get("sourceEncoding", "utf-8")),
        widths=_widths(source_format, given),
        sheet=given.get("sourceSheet"),
        missing_is_null=one_of("sourceMissingFields", given) == "nulls",
        wait_minutes=_wait_minutes(given),
    )


def _query(root: Path, named: list[str], given: Mapping[str, Any]) -> Source:
    """What COPY writes in its own format, in which NULL and the empty text differ."""
    allowed = {*QUERY_SETTINGS, "sourceConnection", "sourceOtherColumns", *SPELLING_SETTINGS} - {"sourceNull"}
    if len(named) > 1 or (others := [name for name in given if name not in allowed and name != ENDPOINT]):
        other = named[1] if len(named) > 1 else others[0]
        raise ValueError(f"{other}: has no meaning beside {named[0]}; remove one of them")
    return Source(
        read_query_source(connection_of(given), given.get("sourceTable"), given.get("sourceQuery")),
        SourceFormat.CSV,
        "\t",
        read_spelling(given, replace(USUAL, nulls=("\\N",))),
        root=root,
        quoted=False,
        escape="\\",
        others_ignored=_others_ignored(given),
        blank_is_empty=True,
    )


def _spelling(source_format: str, given: Mapping[str, Any]) -> Spelling:
    # Where NULL is a value of its own, the empty text is a text.
    return read_spelling(given, replace(USUAL, nulls=()) if SourceFormat(source_format).has_null else USUAL)


def _widths(source_format: str, given: Mapping[str, Any]) -> tuple[int, ...]:
    widths: list[Any] = given.get("sourceWidths", [])
    if source_format != SourceFormat.FIXED:
        return ()
    if not widths or not all(type(width) is int and 0 < width <= MAX_WIDTH for width in widths):
        raise ValueError(f"sourceWidths: got {widths}; write how many characters each field has, such as [5, 12, 8]")
    return tuple(widths)


def _others_ignored(given: Mapping[str, Any]) -> bool:
    ignored = one_of("sourceOtherColumns", given) == "ignored"
    if ignored and given.get("sourceHeader") == NONE:
        raise ValueError("sourceOtherColumns: got 'ignored', but without a header no column has a name; remove one of the two")
    return ignored


def _lines(setting: str, given: Mapping[str, Any]) -> int:
    lines: int = given.get(setting, 0)
    if not 0 <= lines <= MAX_SKIPPED_LINES:
        raise ValueError(f"{setting}: got {lines}; write a number of lines from 0 to {MAX_SKIPPED_LINES:,}")
    return lines


def _wait_minutes(given: Mapping[str, Any]) -> int:
    minutes: int = given.get("sourceWaitMinutes", 0)
    if not 0 <= minutes <= MAX_WAIT_MINUTES:
        raise ValueError(f"sourceWaitMinutes: got {minutes}; write a number of minutes from 0 to {MAX_WAIT_MINUTES:,}, a week")
    return minutes


def _comment(mark: str | None, delimiter: str) -> str | None:
    if mark is not None and (not mark.strip() or mark[0].isalnum() or mark[0] in f'"+-.{delimiter}' or not mark.isprintable()):
        raise ValueError(f"sourceComment: got {mark!r}; write what a line begins with that is no record, such as '#'")
    return mark


def _encoding(name: str) -> str:
    try:
        return encoding_named(name)
    except ValueError as error:
        raise ValueError(f"sourceEncoding: {error}") from error


def _escape(escape: str | None, delimiter: str) -> str | None:
    if escape is None:
        return None
    if len(escape) != 1 or escape.isalnum() or escape in f'"+-.\r\n\0 {delimiter}':
        raise ValueError(f"sourceEscape: got {escape!r}; write one character that is not the delimiter, such as '\\'")
    return escape
