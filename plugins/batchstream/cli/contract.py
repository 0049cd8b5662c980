"""``batchstream contract check``: mistakes of contracts, before any run."""

from pathlib import Path

from batchstream.contract import Contract
from batchstream.contract.folder import read_contracts
from batchstream.contract.schedule import next_times
from batchstream.local.console import complain, say

SHOWN_TIMES = 5


def check(paths: list[Path]) -> int:
    """Say what each contract makes, and every mistake; 0 if there is none.

    Args:
        paths: Of the contracts; those of the installation if there are none.
    """
    contracts = read_contracts(paths or None)
    if not contracts.valid and not contracts.mistakes:
        complain("there is no contract in dags/contracts; run this in your project, or name the files")
        return 1
    for contract in contracts.valid:
        say(f"{contract.path}: good")
        for line in _facts(contract):
            say(f"  {line}")
    for mistake in contracts.mistakes:
        complain(mistake)
    return 1 if contracts.mistakes else 0


def _facts(contract: Contract) -> list[str]:
    key = ", ".join(contract.key_columns) + ("" if contract.keys else ", the number of the record in its source")
    return [
        f"table {contract.name}, {len(contract.columns)} columns, key {key}",
        f"source {contract.source.path}",
        f"topic {contract.topic.name}",
        f"schedule {contract.schedule or 'none: runs are started by hand'}{_times(contract)}",
    ]


def _times(contract: Contract) -> str:
    times = [f"{time:%Y-%m-%d %H:%M}" for time in next_times(contract.schedule, SHOWN_TIMES)]
    return f"; next, in UTC: {', '.join(times)}" if times else ""
