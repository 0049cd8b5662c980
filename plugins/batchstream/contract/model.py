"""What a contract says, as frozen data: the only form in which other modules see it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from batchstream.contract.types import ColumnType

RECORD_ID = "id"
"""Primary key of a table whose contract names no key column: the 1-based number of the record in its source."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the dataset, in source order."""

    name: str
    type: ColumnType
    nullable: bool
    indexed: bool = False
    description: str = ""


class SourceFormat(StrEnum):
    """How a source file separates its fields."""

    WHITESPACE = "whitespace"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Source:
    """The file that is loaded: UTF-8, one header line that names the columns in order."""

    path: Path
    format: SourceFormat
    delimiter: str = ","
    null: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """The Kafka topic that carries the dataset."""

    name: str
    partitions: int
    replication_factor: int
    retention_days: int


@dataclass(frozen=True, slots=True)
class Check:
    """A quality rule over the whole landing, checked before the publish.

    Attributes:
        name: Shown in messages.
        expression: A scalar SQL expression over the landing's columns (an aggregate), already composed, for example
            ``avg("medv")``; or, if ``is_query``, a whole query whose ``{object}`` stands for the landing.
        condition: A SQL template for the verdict, with ``{value}`` for the measured value, for example
            ``{value} BETWEEN 22.5 AND 22.6``.
        is_query: Whether ``expression`` is a whole query.
    """

    name: str
    expression: str
    condition: str
    is_query: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset: where it comes from, how it travels, what its table looks like, what must hold."""

    path: Path
    name: str
    version: str
    description: str
    columns: tuple[Column, ...]
    key: str | None
    source: Source
    topic: Topic
    checks: tuple[Check, ...]
    expected_records: int | None
    rejected_records_allowed: int
    schedule: str | None

    @property
    def dag_id(self) -> str:
        """Name of the DAG that reloads this dataset."""
        return f"{self.name}_pipeline"

    @property
    def key_column(self) -> str:
        """Primary key of the target table: the contract's key column, or the record id."""
        return self.key or RECORD_ID
