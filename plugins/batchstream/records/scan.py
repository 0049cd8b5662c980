"""Takes damaged JSON apart: finds where each element of an array, and each value of an object, begins and ends.

Tolerant where JSON is not (``NaN``, ``Infinity``, control characters, bytes that aren't UTF-8), so that one bad record can be
told from its neighbours. What it finds is judged by the strict decoder afterwards.
"""

import json
import re
from json.decoder import JSONDecodeError

_BLANK = re.compile(r"[ \t\r\n]*")
# Values are only measured here, never used: no number is built of a million digits.
_DECODER = json.JSONDecoder(strict=False, parse_int=len, parse_float=len, parse_constant=len)


class NotAnArrayError(ValueError):
    """A message's value can't be taken apart as a JSON array."""


class NotAnObjectError(ValueError):
    """A record can't be taken apart as a JSON object."""


def array_elements(value: bytes) -> list[bytes]:
    """The elements of a JSON array, each as it stands in the text.

    Raises:
        NotAnArrayError: It is none.
    """
    text = _decode(value)
    start = _skip(text, 0)
    if not text.startswith("[", start):
        raise NotAnArrayError(f"the message is not a JSON array but begins with {text[start : start + 20]!r}")
    elements: list[bytes] = []
    at = _skip(text, start + 1)
    try:
        if text.startswith("]", at):
            _require_end(text, at + 1)
            return elements
        while True:
            _, end = _DECODER.raw_decode(text, at)
            elements.append(_encode(text[at:end]))
            at = _skip(text, end)
            if text.startswith("]", at):
                _require_end(text, at + 1)
                return elements
            at = _skip(text, _require(text, at, ","))
    except (JSONDecodeError, RecursionError) as error:
        raise NotAnArrayError(f"the message is not JSON: {error}") from error


def object_pairs(raw: bytes) -> list[tuple[str, bytes]]:
    """Names and values of a JSON object, each value as it stands in the text.

    Raises:
        NotAnObjectError: It is none.
    """
    text = _decode(raw)
    if not text.startswith("{"):
        raise NotAnObjectError(f"the record is not a JSON object but begins with {text[:20]!r}")
    pairs: list[tuple[str, bytes]] = []
    at = _skip(text, 1)
    try:
        while not text.startswith("}", at):
            if pairs:
                at = _skip(text, _require(text, at, ","))
            name, end = _DECODER.raw_decode(text, at)
            at = _skip(text, _require(text, _skip(text, end), ":"))
            _, end = _DECODER.raw_decode(text, at)
            pairs.append((str(name), _encode(text[at:end])))
            at = _skip(text, end)
    except (JSONDecodeError, RecursionError) as error:
        raise NotAnObjectError(f"the record is not JSON: {error}") from error
    return pairs


def storable(value: bytes) -> str:
    """Bytes as text that PostgreSQL can store and a person can read."""
    return value.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _require(text: str, at: int, character: str) -> int:
    if not text.startswith(character, at):
        raise JSONDecodeError(f"Expecting '{character}'", text, at)
    return at + 1


def _require_end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise JSONDecodeError("Extra data", text, at)
