"""Builds the standard's model of a contract out of a document, without the values that the standard refuses."""

import copy
from typing import Any

from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import ValidationError

from batchstream.contract.effects import lies_in_told
from batchstream.contract.mistake import Place, said
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.servers import LOCAL
from batchstream.contract.strict import unknown_fields, unknown_keys


def read_standard(document: dict[str, Any], mistakes: Mistakes) -> OpenDataContractStandard | None:
    """The contract as the standard has it; None if too little of it is left.

    Args:
        document: As it was read.
        mistakes: Takes each value that the standard refuses, and each field that it doesn't know.
    """
    unknown = dict(unknown_keys(OpenDataContractStandard, document))
    for place, sentence in unknown.items():
        mistakes.note(place, sentence)
    document = {key: value for key, value in document.items() if (key,) not in unknown}
    try:
        odcs = OpenDataContractStandard.model_validate(document)
    except ValidationError as error:
        found = [(_place(document, one["loc"]), one) for one in error.errors(include_url=False)]
        document = copy.deepcopy(document)
        # The deepest first: where a field has several types, what is said of the field itself is about another one of them.
        for place, one in sorted(found, key=lambda each: -len(each[0])):
            if not mistakes.any_below(place):
                mistakes.note(place, _sentence(place, one), unreadable=True)
                _leave_out(document, place, is_model=one["type"] == "model_type")
        try:
            odcs = OpenDataContractStandard.model_validate(document)
        except ValidationError:
            return None
    for place, sentence in unknown_fields(odcs, document):
        if _is_harmless(place, odcs):
            mistakes.tell(place, f"{said(place)}: has no effect: is no field of the standard")
        else:
            mistakes.note(place, sentence)
    return odcs


def _is_harmless(place: Place, odcs: OpenDataContractStandard) -> bool:
    """Whether an unknown field stands where all fields are without effect, such as in a server that is no source."""
    if place[0] == "servers" and isinstance(number := place[1], int):
        return (odcs.servers or [])[number].type != LOCAL
    return lies_in_told(place[:-1])


def _sentence(place: Place, error: Any) -> str:
    got = error["input"]
    if error["type"] == "string_type" and not isinstance(got, list | dict):
        return f"{said(place)}: must be a text; got {got!r}; put what you wrote in quotes"
    return f"{said(place)}: {error['msg']}; got {got!r}; write what the standard says of this field"


def _place(document: Any, location: tuple[str | int, ...]) -> Place:
    """Pydantic's location without what the document doesn't have: after a field of several types, the name of one."""
    place: Place = ()
    for part in location:
        try:
            document, place = document[part], (*place, part)
        except (KeyError, IndexError, TypeError):
            continue
    return place


def _leave_out(document: Any, place: Place, *, is_model: bool) -> None:
    """Take a value away. An item of a list becomes an empty one, or the list goes: other items keep their numbers."""
    *way, last = place
    if isinstance(last, int) and not is_model:
        _leave_out(document, tuple(way), is_model=False)
        return
    for part in way:
        document = document.get(part, {}) if isinstance(document, dict) else document[part]
    if isinstance(last, int):
        document[last] = {}
    else:
        document.pop(last, None)
