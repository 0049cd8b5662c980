"""Finds the fields of a contract that the standard doesn't know: its pydantic model lets them pass below the top level."""

import difflib
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel


def unknown_fields(model: BaseModel, document: dict[str, Any], where: str = "") -> Iterator[str]:
    """One sentence for each field of `document` that `model` was built from without taking notice of it.

    Such a field is a misspelling, and ``requird: true`` would silently make a column nullable.
    """
    names = _names(type(model))
    for key, value in document.items():
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            yield f"{where}{key}: is no field of the standard; {f'write {near[0]}' if near else 'remove it'}"
            continue
        child = getattr(model, names[key])
        if isinstance(child, BaseModel):
            yield from unknown_fields(child, value, f"{where}{key}.")
        elif isinstance(child, list):
            for number, one in enumerate(child):
                if isinstance(one, BaseModel):
                    yield from unknown_fields(one, value[number], f"{where}{key}[{number}].")


@cache
def _names(model: type[BaseModel]) -> dict[str, str]:
    """Name of a field in a document → name of the attribute; ``schema`` is ``schema_`` in Python."""
    return {info.alias or name: name for name, info in model.model_fields.items()}
