"""``batchstream contract new``: writes the contract of a data file, ready to run."""

from pathlib import Path

from batchstream.draft.contract import draft
from batchstream.draft.document import table_names
from batchstream.local.console import complain, say
from batchstream.paths import ROOT

SHOWN_BAD_RECORDS = 5


def write(files: list[Path], output: Path | None) -> int:
    """Write the contract of a file; 0 if a load would take the file as it is.

    Args:
        files: The file.
        output: Where to; by default among the contracts of the project, called as the file. Nothing is overwritten.
    """
    if len(files) != 1:
        complain("name the one file that a contract is wanted for: batchstream contract new data/sales.csv")
        return 2
    (path,) = files
    (table,) = table_names([path.name.partition(".")[0]])
    target = output or ROOT / "dags" / "contracts" / f"{table}.odcs.yaml"
    if target.exists():
        complain(f"{target}: is there already; remove it, or write another one with --output")
        return 1
    found = draft(path, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(found.text, encoding="utf-8")
    say(f"{target}: table {found.table}, {found.columns} columns; read it, as nothing but the file is known of the data")
    if not path.resolve().is_relative_to(target.resolve().parent.parent.parent):
        say("the file lies outside of the project: move it there, or name its folder in BATCHSTREAM_DATA_ROOTS")
    if found.bad_records:
        bad = f"{len(found.bad_records):,} records are bad under any contract"
        complain(f"{path}: {bad}; mend them, or write rejectedRecordsAllowed:")
        for sentence in found.bad_records[:SHOWN_BAD_RECORDS]:
            complain(f"  {sentence}")
        return 1
    return 0
