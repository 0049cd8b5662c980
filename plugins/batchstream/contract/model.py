"""What a contract says, as frozen data: the only form in which other modules see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum
from pathlib import Path

from batchstream.contract.allowance import Allowance
from batchstream.contract.elsewhere import Elsewhere, Query, read_url
from batchstream.contract.names import handle_of
from batchstream.contract.own_columns import OwnColumns, own_columns
from batchstream.contract.run_path import filled
from batchstream.contract.spelling import USUAL, Spelling
from batchstream.contract.types import ColumnType
from batchstream.errors import SourceError

DAG_SUFFIX = "_pipeline"


@dataclass(frozen=True, slots=True)
class Moments:
    """Bounds of a date, a timestamp or a time, with an offset where the column has one; None where there is no bound."""

    minimum: date | time | None = None
    maximum: date | time | None = None
    exclusive_minimum: date | time | None = None
    exclusive_maximum: date | time | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What each value of a column has to keep; a record that breaks one goes to the quarantine."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    moments: Moments = Moments()
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    allowed: tuple[str | int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the dataset, in source order.

    Attributes:
        name: What the table calls it, and what messages say.
        source_name: What the header of the source calls it: any text of one line.
        spelling: How the source spells its values.
    """

    name: str
    type: ColumnType
    nullable: bool
    indexed: bool = False
    rules: Rules = Rules()
    source_name: str = field(kw_only=True)
    spelling: Spelling = USUAL


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


@dataclass(frozen=True, slots=True)
class Topic:
    """The Kafka topic that carries the dataset.

    Attributes:
        min_insync_replicas: How many copies have to be written before an acknowledgement counts.
    """

    name: str
    partitions: int
    replication_factor: int
    retention_days: int
    min_insync_replicas: int = 1


class Publish(StrEnum):
    """How a verified landing becomes what readers see."""

    MERGE = "merge"
    SWAP = "swap"


@dataclass(frozen=True, slots=True)
class Check:
    """A quality rule over the whole landing, checked before the publish.

    Attributes:
        name: Shown in messages.
        query: A SQL template with one value as its result; ``{object}`` stands for the landing, ``{published}`` for what
            readers see.
        condition: A SQL template for the verdict, with ``{value}`` for the measured value.
        reads_published: Whether the query looks at what readers see of its own dataset, so that it has nothing to measure
            before the first publish.
        stops_publish: Whether a load that breaks the rule is not published; otherwise that is told only.
    """

    name: str
    query: str
    condition: str
    reads_published: bool = False
    stops_publish: bool = True


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset: where it comes from, how it travels, what its table looks like, what must hold.

    Attributes:
        keys: The columns of the primary key, in its order; none if the record id is the key.
    """

    path: Path
    name: str
    version: str
    description: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    source: Source
    topic: Topic
    checks: tuple[Check, ...]
    expected_records: int | None
    rejected_records_allowed: Allowance
    publish: Publish
    schedule: str | None

    def of_run(self, words: Mapping[str, str]) -> "Contract":
        """The same contract with the path that its source has in a run; see `batchstream.contract.run_path`.

        Raises:
            SourceError: The run has nothing for a word of the path.
        """
        if isinstance(self.source.path, Query):
            return self
        try:
            source = self.source.at(filled(str(self.source.path), words))
        except ValueError as error:
            raise SourceError(f"{self.path}: customProperties: sourcePath: {error}") from error
        return replace(self, source=source)

    @property
    def dag_id(self) -> str:
        """Name of the DAG that reloads this dataset."""
        return f"{self.handle}{DAG_SUFFIX}"

    @property
    def handle(self) -> str:
        """What stands for the table in names of DAG, topic, landings, checkpoints and consumer group; see `handle_of`."""
        return handle_of(self.name)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Primary key of the target table: the contract's key columns, or the record id."""
        return self.keys or (self.own.id,)

    @property
    def own(self) -> OwnColumns:
        """What the tables call the columns that batchstream adds."""
        return own_columns({column.name for column in self.columns})
