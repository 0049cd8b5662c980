"""Finds the records that Spark can't compute: Spark gives up a whole query for one of them, and doesn't say which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from batchstream.contract.model import Contract
from batchstream.contract.transforms import FILTER_SETTING
from batchstream.errors import LoadError
from batchstream.records import damaged_json
from batchstream.records.messages import Computed, Message, NotComputed
from batchstream.records.shown import shorten
from batchstream.spark.computing import Types, compute, reason
from batchstream.spark.decoding import COMPUTED, decode

MAX_NOT_COMPUTED = 10_000
"""Records of a load: each costs some queries."""

_DATA_STATES = ("22", "P0")
"""Classes of SQLSTATE: what is wrong with a value, and what an expression raises itself."""


def is_of_a_record(error: BaseException) -> bool:
    """Whether an error of Spark is one of a record's values, which no retry mends."""
    return isinstance(error, PySparkException) and (error.getSqlState() or "").startswith(_DATA_STATES)


class OneByOne:
    """Computes records of which some can't be computed.

    Args:
        spark: The session.
        contract: One with a transform.
        found: What `check` has found for it.
    """

    def __init__(self, spark: SparkSession, contract: Contract, found: Types) -> None:
        self._spark = spark
        self._contract = contract
        self._types = found
        self._not_computed = 0

    def messages(self, given: Iterable[Message]) -> Iterator[Message]:
        """The same messages, with what Spark makes of their records."""
        # Spark logs each error with the whole of its own stack; here they are what is looked for.
        self._spark.sparkContext.setLogLevel("OFF")
        try:
            for message in given:
                try:
                    elements = damaged_json.array_elements(message.value or b"")
                except damaged_json.NotAnArrayError:
                    # It is nobody's message, and will be rejected whole.
                    yield message
                else:
                    yield message._replace(computed=self.records(elements))
        finally:
            self._spark.sparkContext.setLogLevel("WARN")

    def records(self, elements: Sequence[bytes]) -> list[Computed]:
        """What Spark makes of records.

        Args:
            elements: Each as a JSON object, in the columns of the source.

        Raises:
            LoadError: More than `MAX_NOT_COMPUTED` can't be computed.
        """
        if not elements:
            return []
        try:
            return self._evaluate(self._contract, elements)
        except PySparkException as error:
            if not is_of_a_record(error):
                raise
            if len(elements) > 1:
                half = len(elements) // 2
                return [*self.records(elements[:half]), *self.records(elements[half:])]
            why = self._why(elements[0], error)
            self._not_computed += 1
            if self._not_computed > MAX_NOT_COMPUTED:
                raise LoadError(
                    f"more than {MAX_NOT_COMPUTED:,} records can't be computed; {why}; mend the contract's expressions, then "
                    "start a new run"
                ) from error
            return [NotComputed(why)]

    def _evaluate(self, contract: Contract, elements: Sequence[bytes]) -> list[Computed]:
        count = len(elements)
        rows = pyarrow.table(
            {
                "partition": pyarrow.array([0] * count, pyarrow.int32()),
                "offset": pyarrow.array(range(count), pyarrow.int64()),
                "key": pyarrow.nulls(count, pyarrow.binary()),
                "value": pyarrow.array([b"[" + element + b"]" for element in elements], pyarrow.binary()),
            }
        )
        records = decode(contract, self._spark.createDataFrame(rows))
        found = compute(contract, self._types, records).select(COMPUTED).collect()
        return [None if text is None else text.encode() for (text,) in found]

    def _why(self, element: bytes, error: PySparkException) -> str:
        """Expression, inputs and reason."""
        where, expression, found = self._culprit(element, error)
        values = dict(damaged_json.object_pairs(element))
        inputs = ", ".join(
            f"{name} = {shorten(damaged_json.storable(text))}" for name, text in values.items() if name in self._read
        )
        return f"{where} {shorten(expression)!r} can't be computed{f' of {inputs}' if inputs else ''}: {reason(found)}"

    @property
    def _read(self) -> tuple[str, ...]:
        return self._contract.required_transform.read

    def _culprit(self, element: bytes, error: PySparkException) -> tuple[str, str, PySparkException]:
        """Name and text of the first expression that fails by itself, and its error."""
        whole = self._contract.required_transform
        parts: list[tuple[str, str, Mapping[str, str], str | None]] = [
            (f"column '{name}': transformLogic", text, {name: text}, None) for name, text in whole.expressions.items()
        ]
        if whole.record_filter is not None:
            parts.insert(0, (FILTER_SETTING, whole.record_filter, {}, whole.record_filter))
        for where, text, expressions, record_filter in parts:
            part = replace(self._contract, transform=replace(whole, expressions=expressions, record_filter=record_filter))
            try:
                self._evaluate(part, [element])
            except PySparkException as found:
                return where, text, found
        return parts[0][0], parts[0][1], error
