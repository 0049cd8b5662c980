"""The ``customProperties`` that begin with ``source``: their names, types and choices."""

from collections.abc import Mapping
from typing import Any

from batchstream.contract.source import SourceFormat
from batchstream.contract.spelling import SPELLING_SETTINGS

SOURCE_SETTINGS: dict[str, type | tuple[type, ...]] = {
    "sourcePath": str,
    "sourceWaitMinutes": int,
    "sourceTable": str,
    "sourceQuery": str,
    "sourceConnection": str,
    "sourceFormat": str,
    "sourceDelimiter": str,
    "sourceQuote": str,
    "sourceEscape": str,
    "sourceFinalNewline": str,
    "sourceHeader": str,
    "sourceOtherColumns": str,
    "sourceSkipLines": int,
    "sourceFooterLines": int,
    "sourceComment": str,
    "sourceEncoding": str,
    "sourceWidths": list,
    "sourceSheet": str,
    "sourceMissingFields": str,
    **SPELLING_SETTINGS,
}
"""Name → type of its value."""

QUERY_SETTINGS = ("sourceTable", "sourceQuery")
"""Those that stand in the place of ``sourcePath``."""

NONE = "none"
CHOICES: dict[str, tuple[str, ...]] = {
    "sourceFormat": tuple(SourceFormat),
    "sourceQuote": ('"', NONE),
    "sourceFinalNewline": ("required", "optional"),
    "sourceHeader": ("required", NONE),
    "sourceOtherColumns": ("refused", "ignored"),
    "sourceMissingFields": ("refused", "nulls"),
}
"""Setting → its possible values, the default first but for the format, which is csv."""

_LINES = ("csv", "whitespace", "fixed")
FORMATS_OF = {
    **dict.fromkeys(("sourceDelimiter", "sourceQuote", "sourceEscape"), ("csv",)),
    **dict.fromkeys(("sourceFinalNewline", "sourceEncoding"), (*_LINES, "json")),
    **dict.fromkeys(("sourceHeader", "sourceSkipLines", "sourceFooterLines"), (*_LINES, "xlsx")),
    "sourceComment": _LINES,
    "sourceWidths": ("fixed",),
    "sourceSheet": ("xlsx",),
    "sourceMissingFields": ("json",),
}
"""Setting → the formats in which it means something; any other setting has a meaning in all."""

ENDPOINT = "endpointUrl"
"""Name of the standard's field among the settings that `read_source` takes."""


def one_of(setting: str, given: Mapping[str, Any], default: str | None = None) -> str:
    """The value of a setting that has choices.

    Raises:
        ValueError: It is none of them.
    """
    allowed = CHOICES[setting]
    value: str = given.get(setting, default or allowed[0])
    if value not in allowed:
        raise ValueError(f"{setting}: got {value!r}; write one of {', '.join(allowed)}")
    return value
