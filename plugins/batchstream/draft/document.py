"""Writes a draft as a contract: YAML with comments, as a person would write it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from batchstream.draft.column import DraftColumn

MAX_NAME_LENGTH = 60


def table_names(names: Sequence[str]) -> list[str]:
    """A name for the table for each name of a source: small letters, digits and underscores, none of them twice."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()).strip("_")
        plain = plain[:MAX_NAME_LENGTH].strip("_") or f"column_{number}"
        plain = f"c_{plain}" if plain[0].isdigit() else plain
        same, unique = 2, plain
        while unique in found:
            unique, same = f"{plain[: MAX_NAME_LENGTH - 3]}_{same}", same + 1
        found.append(unique)
    return found


def written(table: str, settings: Mapping[str, Any], columns: Sequence[DraftColumn], notes: Sequence[str]) -> str:
    """The contract.

    Args:
        table: Its name.
        settings: Its ``customProperties``.
        columns: In the order of the source.
        notes: Comments at its beginning.
    """
    lines = [
        *(f"# {printable(note)}" for note in notes),
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: {table}",
        f"name: {table}",
    ]
    lines += ["version: 1.0.0", "status: active", "customProperties:"]
    lines += [property_line(name, value, "  ") for name, value in settings.items()]
    lines += ["schema:", f"  - name: {table}", "    properties:"]
    for column, name in zip(columns, table_names([column.name for column in columns]), strict=True):
        kind, own, note = column.type()
        own = {setting: value for setting, value in own.items() if settings.get(setting) != value}
        lines.append(f"      - name: {scalar(column.name)}")
        if name != column.name:
            lines.append(f"        physicalName: {name}")
        lines.append(f"        physicalType: {kind}{f'  # not certain: {printable(note)}' if note else ''}")
        if column.is_key_candidate:
            lines.append("        # Each value that was seen is there once: primaryKey: true, if that is meant")
        if own:
            lines.append("        customProperties:")
            lines += [property_line(setting, value, "          ") for setting, value in own.items()]
    return "\n".join(lines) + "\n"


def property_line(name: str, value: Any, indent: str) -> str:
    """An entry of ``customProperties``."""
    return f"{indent}- {{property: {name}, value: {scalar(value)}}}"


def scalar(value: Any) -> str:
    """A value as YAML, so that every reader of YAML takes it for the same."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", value) and value.lower() not in _WORDS:
        return value
    return printable(json.dumps(value, ensure_ascii=False))


def printable(text: str) -> str:
    """A text with an escape for each character that YAML refuses, or takes for the end of a line."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


# What YAML refuses as it stands, or reads as the end of a line: a file in cp1252 that is read as latin-1 has such letters.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan")
