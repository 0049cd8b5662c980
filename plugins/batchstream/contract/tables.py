"""A contract with several tables, as one document for each: with that table alone, and with what it says of its own source."""

from collections import ChainMap
from typing import Any

from batchstream.contract.document import Document
from batchstream.contract.mistake import MistakeError, Place

_PROPERTIES = "customProperties"


def each(document: Document) -> tuple[Document, ...]:
    """The documents of the tables; the document itself where there is nothing to take apart."""
    tables = document.value.get("schema")
    if not isinstance(tables, list) or not tables:
        return (document,)
    if len(tables) == 1 and not (isinstance(tables[0], dict) and _PROPERTIES in tables[0]):
        return (document,)
    return tuple(_of_table(document, number) for number in range(len(tables)))


def _of_table(document: Document, number: int) -> Document:
    value = document.value
    table, general = value["schema"][number], value.get(_PROPERTIES) or []
    own = table.get(_PROPERTIES) if isinstance(table, dict) else None
    # Place in the document → place in that of the table.
    moved: dict[Place, Place] = {("schema", number): ("schema", 0)}
    if isinstance(own, list) and isinstance(general, list):
        names = [_name_of(entry) for entry in own]
        kept = [place for place, entry in enumerate(general) if _name_of(entry) not in names]
        moved |= {(_PROPERTIES, place): (_PROPERTIES, to) for to, place in enumerate(kept)}
        moved |= {("schema", number, _PROPERTIES, n): (_PROPERTIES, len(kept) + n) for n in range(len(own))}
        table = {key: one for key, one in table.items() if key != _PROPERTIES}
        value = value | {_PROPERTIES: [*(general[place] for place in kept), *own]}
    else:
        moved[_PROPERTIES,] = (_PROPERTIES,)
    value = value | {"schema": [table]}
    lines: dict[tuple[int, str | int], int] = {(id(value), key): document.line_of((key,)) for key in value}
    lines[id(value["schema"]), 0] = document.line_of(("schema", number))
    if isinstance(table, dict):
        lines |= {(id(table), key): document.line_of(("schema", number, key)) for key in table}
    if isinstance(value.get(_PROPERTIES), list):
        entries = value[_PROPERTIES]
        lines |= {(id(entries), to[1]): document.line_of(place) for place, to in moved.items() if to[0] == _PROPERTIES and to[1:]}
    mistakes = [one for error in document.mistakes if (one := _moved(error, moved)) is not None]
    return Document(value, ChainMap(lines, document.lines), tuple(mistakes), number, moved)


def _name_of(entry: Any) -> Any:
    return entry.get("property") if isinstance(entry, dict) else None


def _moved(error: MistakeError, moved: dict[Place, Place]) -> MistakeError | None:
    """A mistake of a single value at its place in the document of a table; None if it is another table's."""
    for length in range(len(error.at), 0, -1):
        if (to := moved.get(error.at[:length])) is not None:
            return MistakeError("", error.rule, (*to, *error.at[length:]))
    return None if error.at[:1] in (("schema",), (_PROPERTIES,)) else error
