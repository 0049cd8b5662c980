"""Rows with what Spark has computed, back to the messages whose records they are: a message lands as a whole or not at all."""

from collections.abc import Iterable, Iterator
from typing import Any

from batchstream.records.messages import Computed, Message
from batchstream.spark.decoding import COMPUTED, KEY, OFFSET, PARTITION, VALUE


def messages(topic: str, batches: Iterable[Any]) -> Iterator[Message]:
    """The messages that some rows are of.

    Args:
        topic: Of the load.
        batches: Rows as `compute` gives them, in their order, as Arrow's record batches; a message may go on in the next one.
    """
    head: tuple[int, int, bytes | None, bytes | None] | None = None
    computed: list[Computed] = []
    for batch in batches:
        values = batch.column(VALUE).to_pylist()
        texts = batch.column(COMPUTED).cast("binary").to_pylist()
        starts = [place for place, value in enumerate(values) if value is not None]
        computed += texts[: starts[0] if starts else len(texts)]
        for number, start in enumerate(starts):
            if head is not None:
                yield Message(topic, *head, computed)
            partition, offset, key = (batch.column(name)[start].as_py() for name in (PARTITION, OFFSET, KEY))
            head = partition, offset, key, values[start]
            computed = texts[start : starts[number + 1] if number + 1 < len(starts) else len(texts)]
    if head is not None:
        yield Message(topic, *head, computed)
