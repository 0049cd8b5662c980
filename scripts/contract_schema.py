"""Writes the JSON schema of our own part of a contract, by which editors complete it."""

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any

from batchstream.contract.columns import COLUMN_SETTINGS
from batchstream.contract.model import Publish
from batchstream.contract.properties import SETTINGS
from batchstream.contract.source_settings import CHOICES
from batchstream.paths import ROOT

FILE = ROOT / "plugins" / "batchstream" / "contract" / "settings.schema.json"

_TYPES = {str: "string", int: "integer", bool: "boolean", list: "array", NoneType: "null"}


def schema() -> dict[str, Any]:
    """The schema; what the standard has is left to the schema of the standard."""
    choices = {**CHOICES, "publish": tuple(Publish)}
    own = _settings(SETTINGS, choices)
    column = {"type": "object", "properties": {"customProperties": _settings(COLUMN_SETTINGS, choices)}}
    table = {"type": "object", "properties": {"customProperties": own, "properties": {"type": "array", "items": column}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The customProperties of batchstream in a contract of the Open Data Contract Standard",
        "type": "object",
        "properties": {"customProperties": own, "schema": {"type": "array", "items": table}},
    }


def _settings(vocabulary: Mapping[str, Any], choices: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    # Other names are somebody else's.
    name = {"anyOf": [{"enum": list(vocabulary)}, {"type": "string"}]}
    rules = [
        {
            "if": {"properties": {"property": {"const": setting}}, "required": ["property"]},
            "then": {"properties": {"value": _value(setting, types, choices)}, "required": ["value"]},
        }
        for setting, types in vocabulary.items()
    ]
    return {"type": "array", "items": {"type": "object", "properties": {"property": name}, "allOf": rules}}


def _value(setting: str, types: Any, choices: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    if setting in choices:
        return {"enum": [str(choice) for choice in choices[setting]]}
    names = [_TYPES[one] for one in (types if isinstance(types, tuple) else (types,))]
    return {"type": names[0] if len(names) == 1 else names}


def text() -> str:
    """The content of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
