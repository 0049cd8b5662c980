"""Ranges of offsets: what Spark has planned for a micro-batch, and how tasks share it."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple


class OffsetRange(NamedTuple):
    """Messages of one partition.

    Attributes:
        start: Offset of the first one.
        end: Offset after the last one.
    """

    partition: int
    start: int
    end: int


def between(start_offsets: Mapping[int, int], end_offsets: Mapping[int, int]) -> list[OffsetRange]:
    """What lies between two states of a topic; a partition that is new in the second one begins at 0."""
    ranges = [OffsetRange(partition, start_offsets.get(partition, 0), end) for partition, end in sorted(end_offsets.items())]
    return [one for one in ranges if one.start < one.end]


def share(ranges: list[OffsetRange], tasks: int) -> list[OffsetRange]:
    """Cut ranges so that about as many tasks have about as much to do each, when the topic has fewer partitions than that."""
    size = max(1, sum(one.end - one.start for one in ranges) / tasks)
    return [piece for one in ranges for piece in _cut(one, max(1, round((one.end - one.start) / size)))]


def _cut(one: OffsetRange, pieces: int) -> list[OffsetRange]:
    ends = [one.start + (one.end - one.start) * number // pieces for number in range(pieces + 1)]
    return [OffsetRange(one.partition, start, end) for start, end in pairwise(ends)]
