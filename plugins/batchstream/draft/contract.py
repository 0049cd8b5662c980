"""Drafts the contract of a file, and lets the reader of sources judge it: a type that it refuses becomes text."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from batchstream.contract import Contract, parse_contract
from batchstream.contract.source import SourceFormat
from batchstream.draft.column import DraftColumn
from batchstream.draft.document import table_names, written
from batchstream.draft.text_sample import MAX_BYTES_READ_WHOLE, rows_of, text_settings
from batchstream.draft.typed_sample import json_names, kind_of_file, parquet_names, workbook_names
from batchstream.errors import SourceError
from batchstream.records.escapes import NULL_FIELD
from batchstream.records.formats import typed_rows
from batchstream.records.rejects import BadRecord
from batchstream.records.source_file import opened
from batchstream.records.source_reader import SourceReader
from batchstream.records.unpacked import UnpackError, unpack_errors

MAX_BYTES_JUDGED = 4 * MAX_BYTES_READ_WHOLE
"""A file up to this size is read as a load would."""


class Draft(NamedTuple):
    """A contract that was drafted.

    Attributes:
        text: The contract.
        table: Its table.
        columns: How many.
        bad_records: How many records its reader refuses, with the first sentences; none of them can be mended by a contract.
    """

    text: str
    table: str
    columns: int
    bad_records: list[str]


def draft(path: Path, contract_path: Path, source_path: str | None = None) -> Draft:
    """Draft the contract of a file.

    Args:
        path: The file.
        contract_path: Where the contract will be; ``sourcePath`` begins two folders above it.
        source_path: What to write as ``sourcePath`` in place of the path of the file, which may be a copy.

    Raises:
        SourceError: The file can't be read, or has no records.
    """
    try:
        if not path.is_file():
            raise SourceError(f"{path}: is no file; name the file that a contract is wanted for")
        with unpack_errors():
            return _draft(path, contract_path, source_path)
    except UnpackError as error:
        raise SourceError(f"{path}: {error}") from error
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {error.strerror}") from error


def _draft(path: Path, contract_path: Path, source_path: str | None) -> Draft:
    kind = kind_of_file(path)
    root = contract_path.resolve().parent.parent.parent
    resolved = path.resolve()
    relative = str(resolved.relative_to(root)) if resolved.is_relative_to(root) else str(resolved)
    settings: dict[str, Any] = {"sourcePath": relative}
    if kind is None:
        more, dialect = text_settings(resolved)
        settings |= more
        names = dialect.names or [f"column_{number}" for number in range(1, dialect.width + 1)]
    else:
        names, more = _typed_names(resolved, kind, settings, contract_path)
        settings |= {"sourceFormat": str(kind), **more}
    if not names:
        raise SourceError(f"{path}: no columns were found; write a header")
    (table,) = table_names([path.name.partition(".")[0]])
    columns = [DraftColumn(name) for name in names]
    if _needs_end(resolved, kind):
        settings["sourceFinalNewline"] = "optional"
    contract = _parsed(table, settings, columns, contract_path)
    _look(contract, columns)
    bad = _judged(table, settings, columns, contract_path, resolved.stat().st_size)
    if source_path is not None:
        settings["sourcePath"] = source_path
    return Draft(written(table, settings, columns, _notes(columns, resolved)), table, len(columns), bad)


def _typed_names(path: Path, kind: SourceFormat, settings: dict[str, Any], at: Path) -> tuple[list[str], dict[str, Any]]:
    if kind is SourceFormat.PARQUET:
        return parquet_names(path), {}
    if kind is SourceFormat.XLSX:
        return workbook_names(path)
    provisional = _parsed("x", {**settings, "sourceFormat": str(kind)}, [DraftColumn("x")], at)
    with opened(provisional.source) as file:
        return json_names(path, file)


def _parsed(table: str, settings: dict[str, Any], columns: list[DraftColumn], at: Path) -> Contract:
    return parse_contract(written(table, settings, columns, []), at)


def _needs_end(path: Path, kind: SourceFormat | None) -> bool:
    """Whether a text lacks its last line end; of one that is packed nothing is said, so that it may."""
    if kind not in (None, SourceFormat.JSON):
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        return file.read(1) not in (b"\n", b"\r", b"]")


def _look(contract: Contract, columns: list[DraftColumn]) -> None:
    for rows in _rows(contract, len(columns)):
        for column, fields in zip(columns, zip(*rows, strict=True), strict=True):
            column.add(None if field == NULL_FIELD else field for field in fields)


def _rows(contract: Contract, width: int) -> Iterator[list[list[str]]]:
    source = contract.source
    if source.format.is_text:
        yield from (rows for rows in rows_of(source, width) if rows)
        return
    with opened(source) as file:
        found = typed_rows(contract, file)
        while found is not None and (taken := found[1].take()).rows:
            if rows := [row for row in taken.rows if len(row) == width]:
                yield rows


def _judged(table: str, settings: dict[str, Any], columns: list[DraftColumn], at: Path, size: int) -> list[str]:
    """Let the reader of sources read the file, and make text of the columns whose values it refuses."""
    if size > MAX_BYTES_JUDGED:
        return []
    for _ in range(len(columns) + 1):
        contract = _parsed(table, settings, columns, at)
        named = dict(zip([column.name for column in contract.columns], columns, strict=True))
        contract = replace(contract, rejected_records_allowed=replace(contract.rejected_records_allowed, records=2**60))
        bad: list[BadRecord] = []
        for _batch in SourceReader(contract, bad.append):
            pass
        refused = {one.column for one in bad if one.column and not named[one.column].is_text}
        if not refused:
            return [one.sentence(contract.source.path) for one in bad]
        for name in refused:
            named[str(name)].is_text = True
    return []


def _notes(columns: list[DraftColumn], path: Path) -> list[str]:
    seen = max((column.count for column in columns), default=0)
    part = "a part of its records" if path.stat().st_size > MAX_BYTES_READ_WHOLE else f"its {seen:,} records"
    return [
        f"Drafted from {path.name}, by {part}. What was not certain has a comment.",
        "Any value may be NULL: write required: true where it may not, and rules under quality.",
    ]
