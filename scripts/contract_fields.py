"""Writes the table of the standard's fields into docs/contracts.md."""

from collections.abc import Iterator

from batchstream.contract.fields import FIELDS, Effect
from batchstream.paths import ROOT

FILE = ROOT / "docs" / "contracts.md"
BEGIN, END = "<!-- Written by scripts/contract_fields.py from contract/fields.py. -->\n", "<!-- End of what is written. -->\n"

# What a reader calls the standard's classes, in the order of a contract.
NAMES = {
    "OpenDataContractStandard": "The contract",
    "Description": "`description`",
    "Server": "`servers`",
    "CustomProperty": "`customProperties`",
    "SchemaObject": "`schema`",
    "SchemaProperty": "`properties`",
    "EnumValue": "`enum`",
    "DataQuality": "`quality`",
}


def with_table(text: str) -> str:
    """The text of the file with the table as it is by now."""
    before, _, rest = text.partition(BEGIN)
    return "\n".join([before + BEGIN, *_table(), "", END]) + rest.partition(END)[2]


def _table() -> Iterator[str]:
    kinds = {kind.__name__: fields for kind, fields in FIELDS.items()}
    yield "| where | field | effect | |"
    yield "|---|---|---|---|"
    for kind, called in NAMES.items():
        for effect in Effect:
            notes: dict[str, list[str]] = {}
            for name, field in kinds[kind].items():
                if field.effect is effect:
                    notes.setdefault(field.note, []).append(f"`{name}`")
            for note, names in notes.items():
                yield f"| {called} | {', '.join(names)} | {effect} | {note} |"


if __name__ == "__main__":
    FILE.write_text(with_table(FILE.read_text(encoding="utf-8")), encoding="utf-8")
