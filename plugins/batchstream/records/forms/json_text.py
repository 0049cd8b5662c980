"""JSON as text. PostgreSQL reads it once more: ``json`` keeps the text, ``jsonb`` the last of members with one name."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from batchstream.contract.model import Column
from batchstream.records.decimals import fits_numeric

_KINDS: dict[str | None, Any] = {"object": dict[str, Any], "array": list[Any], None: Any}
_NUL = "\\u0000"


def json(column: Column) -> Callable[[str], bytes]:
    """Of type ``json``: the text as it stands."""
    check = _checker(column)

    def judge(text: str) -> bytes:
        check(text)
        return text.encode()

    return judge


def jsonb(column: Column) -> Callable[[str], bytes]:
    """Of type ``jsonb``: the same behind the number of the format."""
    check = _checker(column)

    def judge(text: str) -> bytes:
        check(text)
        return b"\x01" + text.encode()

    return judge


def _checker(column: Column) -> Callable[[str], object]:
    decoder = msgspec.json.Decoder(_KINDS[column.type.json_kind], float_hook=_number)
    wanted = f"a JSON {column.type.json_kind}" if column.type.json_kind else "JSON"

    def check(text: str) -> None:
        try:
            value = decoder.decode(text)
        except (msgspec.DecodeError, UnicodeError, ArithmeticError, ValueError, RecursionError) as error:
            raise ValueError(f"is not {wanted} ({error})") from error
        # An escape that looks like it may be one of a backslash, which the decoded value tells.
        if _NUL in text and _has_nul(value):
            raise ValueError("holds U+0000, which PostgreSQL's text can't store")

    return check


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if not fits_numeric(value):
        raise ValueError(f"{text[:20]}: PostgreSQL has no such number")
    return value


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, list):
        return any(map(_has_nul, value))
    if isinstance(value, dict):
        return any("\0" in name or _has_nul(inner) for name, inner in value.items())
    return False
