"""Reads a single value of YAML so that it means what people read; what readers of YAML disagree about is refused.

PyYAML follows version 1.1 of YAML, in which ``010`` is 8, ``12:30`` is 750 and ``no`` is false, while other readers follow
version 1.2. Here a value without quotes is a number only as JSON writes numbers, and a date, a time or ``no`` is a text.
"""

import re
from decimal import Decimal
from typing import Any

from batchstream.contract.mistake import MistakeError

_NULLS = ("", "~", "null", "Null", "NULL")
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SPECIAL = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
# A number of version 1.1 that is a text or another number in version 1.2, or the other way round.
_DISPUTED = re.compile(
    r"[-+]?(0[0-9]+|0[xX][0-9a-fA-F][0-9a-fA-F_]*|0[oO][0-7]+|0[bB][01][01_]*|[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?)"
)


def read_scalar(event: Any) -> Any:
    """A text, number, true, false or null.

    Args:
        event: Of libyaml's parser.

    Raises:
        MistakeError: Readers of YAML disagree about it, or it can't be held as it is.
    """
    text: str = event.value
    if "\0" in text:
        raise mistake_at(event, f"got {text!r}; write it without U+0000, which PostgreSQL can't store")
    plain = event.implicit[0] and event.tag is None
    if not plain:
        return text
    if text in _NULLS:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if text.lower() in _SPECIAL:
        return float(_SPECIAL[text.lower()])
    if _DISPUTED.fullmatch(text):
        said = f"write {_plain_number(text)}, or '{text}' in quotes if it is a text" if len(text) < 40 else "put it in quotes"
        raise mistake_at(event, f"got {text!r}, which is not the same number to every reader of YAML; {said}")
    if _INTEGER.fullmatch(text):
        return _integer(event, text)
    if _FLOAT.fullmatch(text):
        return _float(event, text)
    return text


def _integer(event: Any, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise mistake_at(event, f"a number of {len(text)} digits; put it in quotes if it is a text") from None


def _float(event: Any, text: str) -> float:
    number = float(text)
    # Infinity, zero for what is not zero, or digits that would be lost without a word.
    if abs(number) == float("inf") or Decimal(text) != Decimal(repr(number)):
        raise mistake_at(
            event, f"got {text!r}, which double precision would hold as {number!r}; write that, or quotes if it is a text"
        )
    return number


def _plain_number(text: str) -> str:
    text = text.replace("_", "").lower()
    sign, digits = ("-" if text.startswith("-") else ""), text.lstrip("+-")
    if digits[:2] in ("0x", "0o", "0b"):
        return f"{sign}{int(digits, 0)}"
    return f"{sign}{digits.lstrip('0') or '0'}"


def line_of(event: Any) -> int:
    """The line on which something begins, 1-based."""
    return int(event.start_mark.line) + 1


def mistake_at(event: Any, rule: str) -> MistakeError:
    """A mistake of what begins there."""
    return MistakeError(f"line {line_of(event)}", rule, line=line_of(event))
