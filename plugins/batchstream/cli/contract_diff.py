"""``batchstream contract diff``: what a changed contract means for readers, for the table and for loads."""

from pathlib import Path

from batchstream.contract.odcs import load_contracts
from batchstream.local.console import complain, say
from batchstream.postgres.contract_changes import Meaning, changes


def diff(paths: list[Path]) -> int:
    """Say each difference between two contracts; 1 if one breaks readers or stops loads.

    Args:
        paths: The old contract and the new one.
    """
    if len(paths) != 2:
        complain("name two contracts: batchstream contract diff OLD.odcs.yaml NEW.odcs.yaml")
        return 2
    before, after = ({contract.name: contract for contract in load_contracts(path)} for path in paths)
    if len(before) == len(after) == 1:
        pairs = [(next(iter(before.values())), next(iter(after.values())))]
    else:
        pairs = [(contract, after[name]) for name, contract in before.items() if name in after]
        for name in sorted(before.keys() ^ after.keys()):
            say(f"{Meaning.CHANGES if name in after else Meaning.BREAKS}: table '{name}' is {'new' if name in after else 'gone'}")
    found = [one for old, new in pairs for one in changes(old, new)]
    for one in sorted(found, key=lambda one: list(Meaning).index(one.meaning)):
        say(f"{one.meaning}: {one.sentence}")
    if not found and before.keys() == after.keys():
        say("the contracts mean the same")
    return int(any(one.meaning is not Meaning.CHANGES for one in found) or bool(before.keys() - after.keys()))
