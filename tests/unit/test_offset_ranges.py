"""Which offsets a micro-batch has, and how tasks share them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from batchstream.spark.offset_ranges import OffsetRange, between, share

SPANS = st.lists(st.tuples(st.integers(0, 10**12), st.integers(1, 10**6)), min_size=1, max_size=20).map(
    lambda found: [OffsetRange(number, start, start + length) for number, (start, length) in enumerate(found)]
)


def test_what_lies_between_two_states_of_a_topic() -> None:
    # Partition 1 has nothing new, partition 2 is new.
    assert between({0: 5, 1: 7}, {1: 7, 0: 9, 2: 3}) == [OffsetRange(0, 5, 9), OffsetRange(2, 0, 3)]
    assert between({0: 5}, {0: 5}) == []


def test_as_many_tasks_as_partitions_take_one_each() -> None:
    spans = [OffsetRange(0, 0, 101), OffsetRange(1, 50, 149)]
    assert share(spans, 2) == spans


def test_one_partition_is_shared_by_all_tasks() -> None:
    assert share([OffsetRange(3, 10, 111)], 2) == [OffsetRange(3, 10, 60), OffsetRange(3, 60, 111)]
    assert share([OffsetRange(0, 0, 1)], 8) == [OffsetRange(0, 0, 1)]


def test_nothing_is_nothing_to_share() -> None:
    assert share([], 2) == []


@given(SPANS, st.integers(1, 64))
def test_every_offset_is_in_exactly_one_share(spans: list[OffsetRange], tasks: int) -> None:
    pieces = share(spans, tasks)
    for span in spans:
        own = [piece for piece in pieces if piece.partition == span.partition]
        assert (own[0].start, own[-1].end) == (span.start, span.end)
        assert all(piece.start < piece.end for piece in own)
        assert all(one.end == other.start for one, other in pairwise(own))
    assert len(pieces) <= tasks + len(spans)
