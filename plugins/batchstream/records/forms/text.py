"""Texts with lengths of their own kind: ``char(n)``, where blanks at the end mean nothing, and ``name``."""

from collections.abc import Callable

from batchstream.contract.model import Column

MAX_NAME_BYTES = 63
"""PostgreSQL cuts longer ones without an error."""


def character(column: Column) -> Callable[[str], str]:
    """A text of at most n characters; blanks at its end are not counted, as PostgreSQL does."""
    rules, length = column.rules, column.type.max_length or 1
    at_least, at_most = rules.min_length or 0, min(length, length if rules.max_length is None else rules.max_length)

    def judge(value: str) -> str:
        seen = value.rstrip(" ")
        if "\0" in value:
            raise ValueError("holds U+0000, which PostgreSQL's text can't store")
        if not at_least <= len(seen) <= at_most:
            raise ValueError(f"has {len(seen)} characters, not {at_least} to {at_most} of them")
        if rules.allowed and seen not in rules.allowed:
            raise ValueError(f"is none of {', '.join(map(str, rules.allowed))}")
        return seen

    return judge


def name(_: Column) -> Callable[[str], str]:
    """A text of at most 63 bytes."""

    def judge(value: str) -> str:
        if "\0" in value:
            raise ValueError("holds U+0000, which PostgreSQL's text can't store")
        if (length := len(value.encode())) > MAX_NAME_BYTES:
            raise ValueError(f"has {length} bytes, a name at most {MAX_NAME_BYTES}; write text in the contract")
        return value

    return judge
