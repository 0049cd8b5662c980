"""What a contract says, as frozen data: the only form in which other modules see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum
from pathlib import Path

from batchstream.contract.allowance import Allowance
from batchstream.contract.elsewhere import Query
from batchstream.contract.names import handle_of
from batchstream.contract.own_columns import OwnColumns, own_columns
from batchstream.contract.run_path import filled
from batchstream.contract.source import Source
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
        stored: Whether the table has it; otherwise it is there for expressions only.
    """

    name: str
    type: ColumnType
    nullable: bool
    indexed: bool = False
    rules: Rules = Rules()
    source_name: str = field(kw_only=True)
    spelling: Spelling = USUAL
    stored: bool = True


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
class Transform:
    """What Spark computes of each record.

    Attributes:
        inputs: The columns of the source, in its order.
        expressions: Column of the table → Spark SQL over the source's columns.
        record_filter: Spark SQL that is true for the records that are kept; None for all.
        read: Names of the inputs that expressions or filter read.
    """

    inputs: tuple[Column, ...]
    expressions: Mapping[str, str]
    record_filter: str | None
    read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """One dataset: where it comes from, how it travels, what its table looks like, what must hold.

    Attributes:
        columns: Those of the table.
        keys: The columns of the primary key, in its order; none if the record id is the key.
        transform: What Spark computes; None if the table has what the source has.
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
    transform: Transform | None = None

    @property
    def required_transform(self) -> Transform:
        """The transform.

        Raises:
            ValueError: The contract has none.
        """
        if self.transform is None:
            raise ValueError(f"{self.path}: the contract has nothing for Spark to compute")
        return self.transform

    @property
    def incoming(self) -> "Contract":
        """The contract of what the source holds, and messages carry."""
        return self if self.transform is None else self._with(self.transform.inputs)

    @property
    def derived(self) -> "Contract":
        """The contract of what Spark computes."""
        expressions = self.transform.expressions if self.transform else {}
        return self._with(tuple(column for column in self.columns if column.name in expressions))

    def _with(self, columns: tuple[Column, ...]) -> "Contract":
        names = {column.name for column in columns}
        return replace(self, columns=columns, keys=tuple(key for key in self.keys if key in names), transform=None)

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
