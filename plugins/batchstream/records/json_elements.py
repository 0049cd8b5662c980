"""Takes a JSON text apart while it is read: the elements of an array, or the lines of JSON Lines."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from batchstream.records.damaged_json import storable

MAX_ELEMENT_BYTES = 16 * 1024 * 1024
"""Of one record; more is none that Kafka would take."""

_BLANK = b" \t\r\n"
_CHANGES = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)


class Element(NamedTuple):
    """A record as it stands in the text.

    Attributes:
        raw: Its JSON.
        line: 1-based number of the line on which it begins.
    """

    raw: bytes
    line: int


class NotAnArrayError(ValueError):
    """The text is no array, or not all of one."""


def elements_of_lines(chunks: Iterable[list[bytes]]) -> Iterator[Element]:
    """A record a line; a blank line is an empty record, unless nothing follows it."""
    number, blank = 0, 0
    for lines in chunks:
        for line in lines:
            number += 1
            raw = line.strip(_BLANK)
            if not raw:
                blank += 1
                continue
            for back in range(blank, 0, -1):
                yield Element(b"", number - back)
            blank = 0
            yield Element(raw, number)


def elements_of_array(blocks: Iterable[bytes]) -> Iterator[Element]:
    """The elements of the array that the text is, each of at most `MAX_ELEMENT_BYTES`.

    Looks at brackets, quotes and commas only; what stands between them is for a strict decoder to judge.

    Raises:
        NotAnArrayError: It ends before the array does, or something follows the array.
    """
    line = 1
    try:
        for part, is_last in _parts(blocks):
            raw = part.strip(_BLANK)
            # Nothing stands between the brackets of an empty array.
            if raw or not is_last:
                before = len(part) - len(part.lstrip(_BLANK))
                yield Element(raw, line + part.count(b"\n", 0, before))
            line += part.count(b"\n")
    except NotAnArrayError as error:
        raise NotAnArrayError(f"line {line} or below: {error}") from error


def _parts(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """What stands between the commas of the array, and whether it is the last part."""
    text, begin, at, depth, ended = b"", 0, 0, 0, False
    for block in blocks:
        text += block
        for token in _TOKEN.finditer(text, at):
            mark = token[0]
            if mark == b'"':
                # A text that goes on in the next block.
                break
            at = token.end()
            change = _CHANGES.get(mark, 0)
            depth += change
            if depth == 1 and change == 1:
                begin = at
            ended = depth == 0
            if (ended and mark == b"]") or (depth == 1 and mark == b","):
                yield text[begin : token.start()], ended
                begin = at
            if ended:
                break
        text, begin, at = text[begin:], 0, at - begin
        _require_possible(text, ended=ended)
    if not ended:
        raise NotAnArrayError("the array has no end, so the file may be cut off; write it to its end")


def _require_possible(rest: bytes, *, ended: bool) -> None:
    if ended and rest.strip(_BLANK):
        raise NotAnArrayError(f"something follows the end of the array: {storable(rest[:20])!r}; write one array")
    if len(rest) > MAX_ELEMENT_BYTES:
        raise NotAnArrayError(f"a record has more than {MAX_ELEMENT_BYTES:,} bytes; shorten it")
