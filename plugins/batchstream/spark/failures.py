"""Finds the records that Spark can't compute: Spark gives up a whole query for one of them, and doesn't say which."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Self

import pyarrow
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession, functions

from batchstream.contract.model import Contract
from batchstream.contract.transforms import FILTER_SETTING
from batchstream.errors import LoadError
from batchstream.records import damaged_json
from batchstream.records.messages import Computed, Message, MessageKey, NotComputed, Signer, decode_key
from batchstream.records.shown import shorten
from batchstream.spark.computing import ANSI, Types, compute
from batchstream.spark.decoding import COMPUTED, decode
from batchstream.spark.spark_errors import SPARK_ERRORS, is_of_a_record, reason

MAX_NOT_COMPUTED = 10_000
"""Records of a load: each costs some queries."""


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
        self._transform = contract.required_transform
        self._types = found
        self._not_computed = 0
        # Of Arrow's types alone Spark would take a timestamp without a zone for one with a zone.
        self._schema = decode(contract, self._as_messages([])).schema

    def __enter__(self) -> Self:
        # Spark logs each error with the whole of its own stack; here they are what is looked for.
        self._spark.sparkContext.setLogLevel("OFF")
        return self

    def __exit__(self, *_: object) -> None:
        self._spark.sparkContext.setLogLevel("WARN")

    def messages(self, signer: Signer, given: Iterable[Message]) -> Iterator[Message]:
        """The same messages, with what Spark makes of the records of those that are the load's own."""
        taken = [(message, _elements(signer, message)) for message in given]
        computed = iter(self.records([element for _, elements in taken for element in elements]))
        for message, elements in taken:
            yield message._replace(computed=[next(computed) for _ in elements])

    def records(self, elements: Sequence[bytes]) -> list[Computed]:
        """What Spark makes of records.

        Args:
            elements: Each as a JSON object, in the columns of the source.

        Raises:
            LoadError: More than `MAX_NOT_COMPUTED` can't be computed.
        """
        found: dict[int, Computed] = {}
        for places, rows in self._decoded(elements, range(len(elements)), found):
            suspects = self._suspects(rows)
            for some in (suspects, sorted({*range(len(places))}.difference(suspects))):
                self._compute(elements, [places[place] for place in some], rows.take(pyarrow.array(some, pyarrow.int64())), found)
        return [found[place] for place in range(len(elements))]

    def _decoded(
        self, elements: Sequence[bytes], places: Sequence[int], found: dict[int, Computed]
    ) -> Iterator[tuple[Sequence[int], pyarrow.Table]]:
        """The inputs of records; those that Spark can't have go to `found`."""
        if not places:
            return
        try:
            yield places, decode(self._contract, self._as_messages([elements[place] for place in places])).toArrow()
        except SPARK_ERRORS as error:
            if not is_of_a_record(error):
                raise
            if len(places) == 1:
                found[places[0]] = self._not(elements[places[0]], "a value of it", error)
                return
            half = len(places) // 2
            yield from self._decoded(elements, places[:half], found)
            yield from self._decoded(elements, places[half:], found)

    def _as_messages(self, elements: Sequence[bytes]) -> DataFrame:
        count = len(elements)
        return self._spark.createDataFrame(
            pyarrow.table(
                {
                    "partition": pyarrow.array([0] * count, pyarrow.int32()),
                    "offset": pyarrow.array(range(count), pyarrow.int64()),
                    "key": pyarrow.nulls(count, pyarrow.binary()),
                    "value": pyarrow.array([b"[" + element + b"]" for element in elements], pyarrow.binary()),
                }
            )
        )

    def _suspects(self, rows: pyarrow.Table) -> list[int]:
        """Places of records of which something is NULL without ANSI mode, as most that can't be computed is.

        They are computed apart, so that the others don't have to be taken apart to find them.
        """
        texts = [*self._transform.expressions.values(), *filter(None, [self._transform.record_filter])]
        self._spark.conf.set(ANSI, "false")
        try:
            is_null = [functions.expr(text).isNull() for text in texts]
            flags = functions.greatest(*is_null, functions.lit(False))
            found = self._spark.createDataFrame(rows, self._schema).select(flags).collect()
        except SPARK_ERRORS:
            return []
        finally:
            self._spark.conf.set(ANSI, "true")
        return [place for place, (flag,) in enumerate(found) if flag]

    def _compute(self, elements: Sequence[bytes], places: Sequence[int], rows: pyarrow.Table, found: dict[int, Computed]) -> None:
        """Note what is computed, by halves as long as something can't be."""
        if not places:
            return
        try:
            found.update(zip(places, self._evaluate(self._contract, rows), strict=True))
        except SPARK_ERRORS as error:
            if not is_of_a_record(error):
                raise
            if len(places) == 1:
                found[places[0]] = self._not(elements[places[0]], *self._culprit(rows, error))
                return
            half = len(places) // 2
            self._compute(elements, places[:half], rows.slice(0, half), found)
            self._compute(elements, places[half:], rows.slice(half), found)

    def _evaluate(self, contract: Contract, rows: pyarrow.Table) -> list[Computed]:
        found = compute(contract, self._types, self._spark.createDataFrame(rows, self._schema)).select(COMPUTED).collect()
        return [None if text is None else text.encode() for (text,) in found]

    def _not(self, element: bytes, what: str, error: BaseException) -> NotComputed:
        try:
            values = dict(damaged_json.object_pairs(element))
        except damaged_json.NotAnObjectError:
            values = {}
        inputs = ", ".join(
            f"{name} = {shorten(damaged_json.storable(text))}" for name, text in values.items() if name in self._transform.read
        )
        why = f"{what} can't be computed{f' of {inputs}' if inputs else ''}: {reason(error)}"
        self._not_computed += 1
        if self._not_computed > MAX_NOT_COMPUTED:
            raise LoadError(
                f"more than {MAX_NOT_COMPUTED:,} records can't be computed; {why}; mend the contract's expressions, then start a "
                "new run"
            ) from error
        return NotComputed(why)

    def _culprit(self, rows: pyarrow.Table, error: BaseException) -> tuple[str, BaseException]:
        """The first expression that fails by itself, and its error."""
        # Spark says which part of the text failed; it may stand in several.
        contexts = error.getQueryContext() if isinstance(error, PySparkException) else []
        fragment = contexts[0].fragment() if contexts else ""
        parts: list[tuple[str, Mapping[str, str], str | None]] = [
            (f"column '{name}': transformLogic {shorten(text)!r}", {name: text}, None)
            for name, text in self._transform.expressions.items()
            if fragment in text
        ]
        if self._transform.record_filter is not None and fragment in self._transform.record_filter:
            parts.insert(0, (f"{FILTER_SETTING} {shorten(self._transform.record_filter)!r}", {}, self._transform.record_filter))
        for what, expressions, record_filter in parts[:-1]:
            part = replace(self._transform, expressions=expressions, record_filter=record_filter)
            try:
                self._evaluate(replace(self._contract, transform=part), rows)
            except SPARK_ERRORS as found:
                return what, found
        return (parts[-1][0] if parts else "an expression"), error


def _elements(signer: Signer, message: Message) -> Sequence[bytes]:
    """The records of a message; none of one that will not land."""
    key = decode_key(message.key)
    if not isinstance(key, MessageKey) or key.load_id != signer.load_id or not signer.signed(key, message.value):
        return ()
    try:
        return damaged_json.array_elements(message.value or b"")
    except damaged_json.NotAnArrayError:
        return ()
