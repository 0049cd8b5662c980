"""Spans of offsets: what Spark has planned for a micro-batch, and how tasks share it."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple


class Span(NamedTuple):
    """Messages of one partition.

    Attributes:
        start: Offset of the first one.
        end: Offset after the last one.
    """

    partition: int
    start: int
    end: int


def between(start_offsets: Mapping[int, int], end_offsets: Mapping[int, int]) -> list[Span]:
    """What lies between two states of a topic; a partition that is new in the second one begins at 0."""
    spans = [Span(partition, start_offsets.get(partition, 0), end) for partition, end in sorted(end_offsets.items())]
    return [span for span in spans if span.start < span.end]


def share(spans: list[Span], tasks: int) -> list[Span]:
    """Cut spans so that about as many tasks have about as much to do each, when the topic has fewer partitions than that."""
    size = max(1, sum(span.end - span.start for span in spans) / tasks)
    return [piece for span in spans for piece in _cut(span, max(1, round((span.end - span.start) / size)))]


def _cut(span: Span, pieces: int) -> list[Span]:
    ends = [span.start + (span.end - span.start) * number // pieces for number in range(pieces + 1)]
    return [Span(span.partition, start, end) for start, end in pairwise(ends)]
