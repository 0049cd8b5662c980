"""What a contract says of its source, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from batchstream.contract.elsewhere import Elsewhere, Query, read_url
from batchstream.contract.spelling import USUAL, Spelling
from batchstream.errors import SourceError


class SourceFormat(StrEnum):
    """How a source is written."""

    WHITESPACE = "whitespace"
    CSV = "csv"
    FIXED = "fixed"
    JSON = "json"
    PARQUET = "parquet"
    XLSX = "xlsx"

    @property
    def is_text(self) -> bool:
        """Whether its records are lines of fields."""
        return self in (SourceFormat.WHITESPACE, SourceFormat.CSV, SourceFormat.FIXED)

    @property
    def has_null(self) -> bool:
        """Whether it has a value of its own for NULL, so that no text stands for it."""
        return self in (SourceFormat.JSON, SourceFormat.PARQUET)


@dataclass(frozen=True, slots=True)
class Source:
    """The file that is loaded: lines of fields, with a header that names the columns.

    Attributes:
        path: The file; a URL is read only out of its copy.
        format: How fields are separated.
        delimiter: Between two fields of a CSV file.
        spelling: How values are spelled, unless their column says otherwise.
        root: The folder that holds ``dags/``; the file lies in it, or in another folder that an administrator names.
        quoted: Whether a field of a CSV file may stand in quotes.
        quotes_named: Whether the contract says so itself, and it is no default.
        escape: Takes the meaning of a character away that follows it.
        open_end: Whether the last line may lack its end.
        has_header: Whether a line names the fields; otherwise they are the contract's columns in their order.
        others_ignored: Whether the header may name columns that the contract doesn't have.
        skipped_lines: Lines before the header.
        footer_lines: Lines at the end that are no records, blank ones not counted.
        comment: A line that begins with it is no record.
        encoding: Python's name of the text's encoding.
        widths: Characters of each field of a record whose fields are of fixed width.
        sheet: Of a workbook; None if it has only one.
        missing_is_null: Whether a field that a record of JSON doesn't have is NULL.
        wait_minutes: How long a run waits for a source that is not there yet.
        blank_is_empty: Whether a blank line is a record with one empty field, as in what COPY writes.
        copies: The copy of each file of a URL, once they are made; then they lie in `root`.
    """

    path: Path | Elsewhere
    format: SourceFormat
    delimiter: str = ","
    spelling: Spelling = USUAL
    root: Path = field(kw_only=True)
    quoted: bool = True
    quotes_named: bool = True
    escape: str | None = None
    open_end: bool = False
    has_header: bool = True
    others_ignored: bool = False
    skipped_lines: int = 0
    footer_lines: int = 0
    comment: str | None = None
    encoding: str = "utf-8"
    widths: tuple[int, ...] = ()
    sheet: str | None = None
    missing_is_null: bool = False
    wait_minutes: int = 0
    blank_is_empty: bool = False
    copies: Mapping[Elsewhere, Path] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where the file can be read.

        Raises:
            SourceError: It lies elsewhere, and was not copied.
        """
        if isinstance(self.path, Path):
            return self.path
        if self.path not in self.copies:
            raise SourceError(f"{self.path}: the source lies elsewhere, and only a load in Airflow copies it; start a run")
        return self.copies[self.path]

    def at(self, path: str) -> "Source":
        """The same source at another path or URL.

        Raises:
            ValueError: The contract could not name it.
        """
        if isinstance(self.path, Path):
            return replace(self, path=Path(path))
        if isinstance(self.path, Query):
            # Its braces may be an array's.
            return self
        return replace(self, path=read_url(path, self.path.connection, self.path.endpoint))
