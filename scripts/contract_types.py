"""Writes the table of the names of types into docs/contracts.md."""

from collections.abc import Iterator

from batchstream.contract.type_names import NAMES, Name
from batchstream.paths import ROOT

FILE = ROOT / "docs" / "contracts.md"
BEGIN, END = "<!-- Written by scripts/contract_types.py from contract/type_names.py. -->\n", "<!-- End of the types. -->\n"


def with_table(text: str) -> str:
    """The text of the file with the table as it is by now."""
    before, _, rest = text.partition(BEGIN)
    return "\n".join([before + BEGIN, *_table(), "", END]) + rest.partition(END)[2]


def _table() -> Iterator[str]:
    yield "| in the contract | in PostgreSQL | |"
    yield "|---|---|---|"
    found: dict[Name, list[str]] = {}
    for name, known in NAMES.items():
        found.setdefault(known, []).append(f"`{name}`")
    for known, names in found.items():
        yield f"| {', '.join(names)} | `{known.type}` | {known.remark} |"


if __name__ == "__main__":
    FILE.write_text(with_table(FILE.read_text(encoding="utf-8")), encoding="utf-8")
