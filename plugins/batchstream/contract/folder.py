"""The contracts of an installation: each by itself, and what no two of them may share."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from batchstream.contract.model import Contract
from batchstream.contract.odcs import load_contract, load_tables
from batchstream.contract.properties import default_topic
from batchstream.contract.told import Told
from batchstream.errors import ContractError
from batchstream.paths import contract_paths


class Contracts(NamedTuple):
    """What the files of a folder hold.

    Attributes:
        valid: Every table without a mistake, sorted by file name.
        mistakes: A message for each mistake of the others: file, line, field, rule, what was found and what to write.
    """

    valid: tuple[Contract, ...]
    mistakes: tuple[Told, ...]


def read_contracts(paths: Iterable[Path] | None = None) -> Contracts:
    """Read every contract; a mistake in one of them keeps no other from being read.

    Args:
        paths: Of the files; by default those of the installation.
    """
    found: list[Contract] = []
    mistakes: list[Told] = []
    for path in contract_paths() if paths is None else paths:
        try:
            read = load_tables(path)
            found.extend(one.contract for one in read.valid)
            mistakes += _told(path, read.mistakes)
        except ContractError as error:
            mistakes += _told(path, error.mistakes)
        except Exception as error:  # noqa: BLE001 - also a fault of ours may only stop the contract that shows it
            mistakes.append(our_fault(path, error))
    # The file that is called as its dataset comes first, so that no other file can take its name away.
    named = _first_of_each(found, lambda c: c.handle, lambda c: _stem(c.path) not in (c.name, c.handle))
    # Kafka takes a dot and an underscore in the name of a topic for the same.
    valid = _first_of_each(
        named.values(), lambda c: c.topic.name.replace(".", "_"), lambda c: c.topic.name != default_topic(c.handle)
    )
    kept: list[Contract] = []
    for contract in found:
        if (first := named[contract.handle]) is not contract:
            called = "" if contract.name == first.name else f", whose DAG would be called as that of '{first.name}'"
            message = f"schema[0].name: must be unique; got '{contract.name}'{called}, as in {first.path}; write another name"
            mistakes.append(Told(contract.path, message, found=contract.name))
        elif (other := valid[contract.topic.name.replace(".", "_")]) is not contract:
            message = (
                f"customProperties: topic: must be of its own; got '{contract.topic.name}', which to Kafka is "
                f"'{other.topic.name}' of {other.path}; write another name"
            )
            mistakes.append(Told(contract.path, message, found=contract.topic.name))
        else:
            kept.append(contract)
    # Stable: those of a file stay in the order of their lines.
    return Contracts(tuple(kept), tuple(sorted(mistakes, key=lambda mistake: mistake.partition(": ")[0])))


def contract_of(dataset: str, paths: Sequence[Path] | None = None) -> Contract:
    """The contract of a dataset; a mistake in another contract doesn't matter.

    Args:
        dataset: Name of the table, its handle, or the name of the file without its suffixes.
        paths: Of the files; by default those of the installation.

    Raises:
        ContractError: There is none, or it has a mistake.
    """
    paths = contract_paths() if paths is None else paths
    own = [path for path in paths if _stem(path) == dataset]
    others: list[str] = []
    unread: list[str] = []
    for path in [*own, *(path for path in paths if path not in own)]:
        try:
            read = load_tables(path)
        except ContractError:
            if path in own:
                raise
            unread.append(str(path))
            continue
        if read.mistakes:
            unread.append(str(path))
        for contract, _ in read.valid:
            if dataset in (contract.name, contract.handle):
                return contract
            others.append(contract.name)
    if own:
        return load_contract(own[0])
    hint = f"; one of these may be meant, but has a mistake: {', '.join(unread)}" if unread else ""
    raise ContractError(
        f"there is no contract for '{dataset}'; write dags/contracts/{dataset}.odcs.yaml, or use one of "
        f"{', '.join(sorted(others)) or 'those that you write'}{hint}"
    )


def require_unique(contract: Contract) -> None:
    """See that a contract shares neither its name nor its topic with another one.

    Raises:
        ContractError: It does, and the name is the other's.
    """
    found = read_contracts()
    if all((valid.path, valid.name) != (contract.path, contract.name) for valid in found.valid):
        own = [mistake for mistake in found.mistakes if mistake.path == contract.path]
        raise ContractError(*(own or [Told(contract.path, "has changed meanwhile; try again")]))


def our_fault(path: Path, error: Exception) -> Told:
    """What is said of a contract with which batchstream itself fails."""
    return Told(
        path,
        f"batchstream fails with this contract, which is a fault of its own: {type(error).__name__}: {error}; please report it "
        "with the contract, and undo the last change until it is mended",
    )


def _first_of_each(
    contracts: Iterable[Contract], name: Callable[[Contract], str], comes_last: Callable[[Contract], bool]
) -> dict[str, Contract]:
    firsts: dict[str, Contract] = {}
    for contract in sorted(contracts, key=lambda c: (comes_last(c), c.path)):
        firsts.setdefault(name(contract), contract)
    return firsts


def _told(path: Path, mistakes: Iterable[str]) -> Iterable[Told]:
    return (one if isinstance(one, Told) else Told(path, one.removeprefix(f"{path}: ")) for one in mistakes)


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]
