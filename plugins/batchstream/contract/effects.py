"""Tells of each field of a contract that has no effect, and refuses those that would change the data but can't."""

from typing import Any

from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    Description,
    EnumValue,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
    Server,
)
from pydantic import BaseModel

from batchstream.contract.fields import ASKS_FOR_NOTHING, FIELDS, Effect, Field
from batchstream.contract.mistake import Place, said
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.strict import names_of

# Field → class of what stands in it.
_KINDS: dict[str, type[BaseModel]] = {
    "customProperties": CustomProperty,
    "description": Description,
    "enum": EnumValue,
    "items": SchemaProperty,
    "properties": SchemaProperty,
    "quality": DataQuality,
    "schema": SchemaObject,
    "servers": Server,
}

Found = dict[tuple[type[BaseModel], str], list[Place]]


def note_effects(contract: BaseModel, mistakes: Mistakes) -> None:
    """Look at each field of a contract.

    Args:
        contract: As the standard has it.
        mistakes: Takes the fields that are refused, and one note for all fields of a kind that have no effect.
    """
    found: Found = {}
    _look(contract, (), found, mistakes)
    for (kind, name), places in found.items():
        more = f" ({len(places)} times)" if len(places) > 1 else ""
        mistakes.tell(places[0], f"{said(places[0])}: has no effect{more}: {FIELDS[kind][name].note}")


def lies_in_told(place: Place) -> bool:
    """Whether a place is within a field that has no effect."""
    kind: type[BaseModel] = OpenDataContractStandard
    for part in place:
        if isinstance(part, int):
            continue
        field = FIELDS[kind].get(part)
        if field is None or field.effect is Effect.TOLD:
            return field is not None
        if part not in _KINDS:
            return False
        kind = _KINDS[part]
    return False


def _look(value: BaseModel, at: Place, found: Found, mistakes: Mistakes) -> None:
    fields = FIELDS[type(value)]
    for name, attribute in names_of(type(value)).items():
        one = getattr(value, attribute)
        field, place = fields[name], (*at, name)
        if one in (*ASKS_FOR_NOTHING, *field.silent):
            continue
        if field.effect is Effect.TOLD:
            found.setdefault((type(value), name), []).append(place)
        elif field.effect is Effect.REFUSED:
            mistakes.note(place, f"{_called(value, at)}: {_refusal(name, one, field)}")
        else:
            for inner, child in _children(one, place):
                _look(child, inner, found, mistakes)


def _refusal(name: str, value: Any, field: Field) -> str:
    got = f"{name}: got {value!r}, which" if isinstance(value, str) else name
    return f"{got} {field.note}; remove it"


def _children(value: Any, place: Place) -> list[tuple[Place, BaseModel]]:
    values = [((*place, number), one) for number, one in enumerate(value)] if isinstance(value, list) else [(place, value)]
    # What is said of a server depends on whether it is the source: see servers.py.
    return [(where, one) for where, one in values if type(one) in FIELDS and not isinstance(one, Server)]


def _called(value: BaseModel, at: Place) -> str:
    name = (value.physicalName or value.name) if isinstance(value, SchemaProperty) else None
    return f"column '{name}'" if name else said(at)
