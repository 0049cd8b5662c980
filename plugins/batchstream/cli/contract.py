"""``batchstream contract check``: mistakes of contracts, and what good ones make, before any run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from batchstream.contract import Contract
from batchstream.contract.folder import read_contracts
from batchstream.contract.odcs import read_contract
from batchstream.contract.schedule import next_times
from batchstream.contract.text import contract_text
from batchstream.contract.told import Told
from batchstream.contract.transforms import FILTER_SETTING
from batchstream.local.console import complain, say
from batchstream.paths import contract_paths
from batchstream.postgres import as_made

SHOWN_TIMES = 5


def check(paths: list[Path], *, as_json: bool = False) -> int:
    """Say what each contract makes, what of it has no effect, and every mistake; 0 if there is none.

    Args:
        paths: Of contracts, and of folders with contracts; those of the installation if there are none.
        as_json: Whether to print one JSON document in place of sentences.
    """
    files = list(dict.fromkeys(_files(paths))) if paths else contract_paths()
    if empty := [path for path in paths if path.is_dir() and not contract_paths(path)]:
        complain(f"there is no contract in {', '.join(map(str, empty))}; a contract is called NAME.odcs.yaml")
        return 1
    if not files:
        complain("there is no contract in dags/contracts; run this in your project, or name the files")
        return 1
    contracts = read_contracts(files)
    if as_json:
        _print_json(files, contracts.valid, contracts.mistakes)
    else:
        for contract in contracts.valid:
            _describe(contract)
        for mistake in contracts.mistakes:
            complain(mistake)
    return 1 if contracts.mistakes else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from contract_paths(path) if path.is_dir() else [path]


def _describe(contract: Contract) -> None:
    say(f"{contract.path}: good")
    key = ", ".join(contract.key_columns) + ("" if contract.keys else ", the number of the record in its source")
    say(f"  table {contract.name}, {len(contract.columns)} columns, key {key}")
    say(f"  source {contract.source.path}")
    say(f"  topic {contract.topic.name}")
    times = ", ".join(_times(contract))
    said = f"; next, in UTC: {times}" if times else ""
    say(f"  schedule {contract.schedule or 'none: runs are started by hand'}{said}")
    for line in as_made.statements(contract).splitlines():
        say(f"  {line}")
    for what, expression in _computed(contract).items():
        say(f"  Spark computes {what}: {expression}")
    for note in _told(contract):
        say(f"  note: {note}")


def _print_json(files: list[Path], valid: tuple[Contract, ...], mistakes: tuple[Told, ...]) -> None:
    found = []
    for path in files:
        # One for each table; of a file that has none without a mistake, one for the file.
        good = [_facts(contract) for contract in valid if contract.path == path]
        told = [each.parts() for each in mistakes if each.path == path]
        found += [{"path": str(path), "valid": bool(good), "mistakes": told, **facts} for facts in good or [{}]]
    # Not by the console, which may fold lines.
    print(json.dumps(found, indent=2, ensure_ascii=False))  # noqa: T201


def _facts(contract: Contract) -> dict[str, Any]:
    return {
        "dataset": contract.name,
        "version": contract.version,
        "source": str(contract.source.path),
        "topic": contract.topic.name,
        "schedule": contract.schedule,
        "next": _times(contract),
        "table": as_made.statements(contract),
        "rules": [check.name for check in contract.checks],
        "computed": _computed(contract),
        "notes": list(_told(contract)),
    }


def _computed(contract: Contract) -> dict[str, str]:
    """Column → expression, and the filter under its setting's name."""
    if contract.transform is None:
        return {}
    kept = {FILTER_SETTING: contract.transform.record_filter} if contract.transform.record_filter else {}
    return {**contract.transform.expressions, **kept}


def _told(contract: Contract) -> tuple[str, ...]:
    return read_contract(contract_text(contract.path), contract.path, contract.name).told


def _times(contract: Contract) -> list[str]:
    return [f"{time:%Y-%m-%d %H:%M}" for time in next_times(contract.schedule, SHOWN_TIMES)]
