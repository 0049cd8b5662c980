"""Finds the fields of a contract that the standard doesn't know: its pydantic model lets them pass below the top level."""

import difflib
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel

from batchstream.contract.mistake import Place, said


def unknown_fields(model: BaseModel, document: dict[str, Any], at: Place = ()) -> Iterator[tuple[Place, str]]:
    """Place and sentence for each field of `document` that `model` was built from without taking notice of it.

    Such a field is a misspelling, and ``requird: true`` would silently make a column nullable.
    """
    names = names_of(type(model))
    yield from unknown_keys(type(model), document, at)
    for key, value in document.items():
        child = getattr(model, names[key]) if key in names else None
        if isinstance(child, BaseModel):
            yield from unknown_fields(child, value, (*at, key))
        elif isinstance(child, list):
            for number, one in enumerate(child):
                if isinstance(one, BaseModel):
                    yield from unknown_fields(one, value[number], (*at, key, number))


def unknown_keys(model: type[BaseModel], document: dict[str, Any], at: Place = ()) -> Iterator[tuple[Place, str]]:
    """The same for the keys of one mapping alone."""
    names = names_of(model)
    for key in document:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            yield (*at, key), f"{said((*at, key))}: is no field of the standard; {f'write {near[0]}' if near else 'remove it'}"


@cache
def names_of(model: type[BaseModel]) -> dict[str, str]:
    """Name of a field in a document → name of the attribute; ``schema`` is ``schema_`` in Python."""
    return {info.alias or name: name for name, info in model.model_fields.items()}
