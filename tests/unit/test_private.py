"""What is used of other packages though it is not public. A version that nobody has tried is red here first."""

from importlib.metadata import version
from types import SimpleNamespace

import pytest
from py4j.protocol import INPUT_CONVERTER
from pyspark.sql import types  # noqa: F401 - registers its converters

from batchstream.private import SEEN, forget_numpy, offsets_in, row_formatter, submit_in


@pytest.mark.parametrize("package", SEEN)
def test_a_version_was_looked_at(package: str) -> None:
    assert version(package) in SEEN[package], "look at each function of batchstream.private that uses it, then note it there"


def test_the_quick_ways_are_there() -> None:
    assert row_formatter() is not None
    before = list(INPUT_CONVERTER)
    try:
        forget_numpy()
        assert len(INPUT_CONVERTER) < len(before)
    finally:
        INPUT_CONVERTER[:] = before


def test_a_note_of_offsets() -> None:
    assert offsets_in('v1\n{"batchWatermarkMs":0}\n{"topic":{"0":12,"1":3}}') == {0: 12, 1: 3}


@pytest.mark.parametrize("note", ["v2\n{}\n{}", "v1\n{}", 'v1\n{}\n{"a":{"0":1}}\n{"b":{"0":1}}', "v1\n{}\n-"])
def test_a_note_in_another_form_is_refused(note: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        offsets_in(note)


def test_an_operator_without_such_a_hook_is_no_silent_start() -> None:
    with pytest.raises(AttributeError):
        submit_in(SimpleNamespace(), {})
