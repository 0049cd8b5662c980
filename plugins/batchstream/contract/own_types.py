"""Enum types and domains of the database: what a contract knows of one by its name, and what the database says of it."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from batchstream.contract.column_types import SIMPLE, ColumnType
from batchstream.contract.type_names import NAMES, NEVER_OWN
from batchstream.contract.types import parse_type

_PART = r'(?:[^\W\d][\w$]*|"(?:[^"]|"")+")'
_NAME = re.compile(rf"{_PART}(?:\.{_PART})?")
_NEAR = 0.75
"""How much two names have in common if one of them may be a slip."""


def may_be_own(text: str) -> bool:
    """Whether a type that is none of the supported ones may be an enum type or a domain of somebody's database.

    A plain name that resembles a known one is taken for a slip; with its schema before it, it is not.

    Args:
        text: As the contract has it: a name, with or without its schema, quoted where PostgreSQL wants it so.
    """
    text = text.strip()
    if not _NAME.fullmatch(text) or text.lower() in NEVER_OWN:
        return False
    is_plain = "." not in text and not text.startswith('"')
    return not (is_plain and difflib.get_close_matches(text.lower(), NAMES, n=1, cutoff=_NEAR))


def unknown(text: str, likely: str) -> ColumnType:
    """What is known of a type before the database was asked.

    Args:
        text: As the contract has it.
        likely: The type that the column would have by its logical type alone.
    """
    return replace(parse_type(likely), sql=text.strip(), is_unknown=True)


def known(found: Mapping[str, Any]) -> ColumnType:
    """The type that the database has.

    Args:
        found: See `batchstream.postgres.own_types`; the ledger keeps it for a load.

    Raises:
        ValueError: It is a domain over a type that is not supported.
    """
    labels = tuple(found["labels"] or ())
    below = SIMPLE["text"] if labels else parse_type(found["base"])
    return replace(below, sql=found["name"], labels=labels, is_domain=found["is_domain"])


def all_known(found: Mapping[str, Mapping[str, Any]] | None) -> dict[str, ColumnType]:
    """The same of all types of a contract, by the names that it has for them."""
    return {text: known(one) for text, one in (found or {}).items()}
