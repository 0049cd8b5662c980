"""Takes damaged JSON apart: finds where each element of an array, and each value of an object, begins and ends.

Looks at brackets, quotes and separators only, so that one record with ``NaN``, ``01``, a bare word or deep nesting can be told
from its neighbours. What stands between them is judged by the strict decoder afterwards.
"""

import re

import msgspec

_BLANK = b" \t\r\n"
# Possessive, so that 5 MB of quotes and backslashes cost one pass.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# A string as a whole, a quote that is never closed, or what gives JSON its shape.
_TOKEN = re.compile(_STRING + rb'|["\[\]{},]', re.DOTALL)
_NAME = re.compile(rb"(" + _STRING + rb")[ \t\r\n]*+:[ \t\r\n]*+", re.DOTALL)
_name_decoder = msgspec.json.Decoder(str)


class NotAnArrayError(ValueError):
    """A message's value can't be taken apart as a JSON array."""


class NotAnObjectError(ValueError):
    """A record can't be taken apart as a JSON object."""


def array_elements(value: bytes) -> list[bytes]:
    """The elements of a JSON array, each as it stands in the text.

    Raises:
        NotAnArrayError: It is none.
    """
    text = value.strip(_BLANK)
    if not text.startswith(b"["):
        raise NotAnArrayError(f"the message is not a JSON array but {_beginning(text)}")
    try:
        return _split(text, b"]")
    except ValueError as error:
        raise NotAnArrayError(f"the message is not JSON: {error}") from error


def object_pairs(raw: bytes) -> list[tuple[str, bytes]]:
    """Names and values of a JSON object, each value as it stands in the text.

    Raises:
        NotAnObjectError: It is none.
    """
    text = raw.strip(_BLANK)
    if not text.startswith(b"{"):
        raise NotAnObjectError(f"the record is not a JSON object but {_beginning(text)}")
    try:
        return [_pair(member) for member in _split(text, b"}")]
    except ValueError as error:
        raise NotAnObjectError(f"the record is not JSON: {error}") from error


def storable(value: bytes) -> str:
    """Bytes as text that PostgreSQL can store and a person can read: no U+0000, and what is not UTF-8 in hexadecimal."""
    return value.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _split(text: bytes, closing: bytes) -> list[bytes]:
    """What stands between the outer brackets of `text`, taken apart at its commas."""
    parts: list[bytes] = []
    depth, begin = 0, 1
    for token in _TOKEN.finditer(text):
        at = token.start()
        character = text[at : at + 1]
        if character == b'"':
            if token.end() - at == 1:
                raise ValueError(f"the quote at byte {at} is not closed")
        elif character in b"[{":
            depth += 1
        elif character == b",":
            if depth == 1:
                parts.append(text[begin:at].strip(_BLANK))
                begin = at + 1
        else:
            depth -= 1
            if depth == 0:
                if character != closing or token.end() != len(text):
                    raise ValueError(
                        f"expected {closing.decode()} and the end at byte {at}, got {storable(text[at : at + 20])!r}"
                    )
                last = text[begin:at].strip(_BLANK)
                return [*parts, last] if last or parts else []
    raise ValueError("its end is missing")


def _pair(member: bytes) -> tuple[str, bytes]:
    name = _NAME.match(member)
    if name is None:
        raise ValueError(f"expected a name and a colon, got {storable(member[:20])!r}")
    # A name that is no text, such as half a surrogate pair, is a DecodeError, which is a ValueError.
    return _name_decoder.decode(name[1]), member[name.end() :]


def _beginning(text: bytes) -> str:
    return f"begins with {storable(text[:20])!r}" if text else "empty"
