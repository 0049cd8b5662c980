"""What a contract says, as frozen data: the only form in which other modules see it."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from batchstream.contract.allowance import Allowance
from batchstream.contract.names import handle_of
from batchstream.contract.own_columns import OwnColumns, own_columns
from batchstream.contract.types import ColumnType

DAG_SUFFIX = "_pipeline"


@dataclass(frozen=True, slots=True)
class Rules:
    """What each value of a column has to keep; a record that breaks one goes to the quarantine."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
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
    """

    name: str
    type: ColumnType
    nullable: bool
    indexed: bool = False
    rules: Rules = Rules()
    source_name: str = field(kw_only=True)


class SourceFormat(StrEnum):
    """How a source file separates its fields."""

    WHITESPACE = "whitespace"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Source:
    """The file that is loaded: UTF-8, one header line that names the columns in order.

    Attributes:
        path: The file.
        format: How fields are separated.
        delimiter: Between two fields of a CSV file.
        null: The field that stands for NULL.
        root: The folder that holds ``dags/``; the file lies in it, or in another folder that an administrator names.
        quoted: Whether a field of a CSV file may stand in quotes.
        quotes_named: Whether the contract says so itself, and it is no default.
        escape: Takes the meaning of a character away that follows it.
        open_end: Whether the last line may lack its end.
    """

    path: Path
    format: SourceFormat
    delimiter: str = ","
    null: str = ""
    root: Path = field(kw_only=True)
    quoted: bool = True
    quotes_named: bool = True
    escape: str | None = None
    open_end: bool = False


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
    """

    name: str
    query: str
    condition: str
    reads_published: bool = False


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
