"""Reads the contracts beside the DAG files: the only I/O while DAGs are parsed."""

from batchstream.contract import Contract, load_contract
from batchstream.errors import ContractError
from batchstream.paths import contract_paths


def _read() -> tuple[list[Contract], list[str]]:
    contracts: dict[str, Contract] = {}
    mistakes: list[str] = []
    for path in contract_paths():
        try:
            contract = load_contract(path)
        except ContractError as error:
            mistakes.append(str(error))
            continue
        if contract.name in contracts:
            first = contracts[contract.name].path
            mistakes.append(f"{path}: name: must be unique; got '{contract.name}', as in {first}; write another name")
        elif any(contract.topic.name == other.topic.name for other in contracts.values()):
            mistakes.append(
                f"{path}: topic: must be of its own; got '{contract.topic.name}', as in another contract; write another"
            )
        else:
            contracts[contract.name] = contract
    return list(contracts.values()), mistakes


def valid_contracts() -> list[Contract]:
    """Every contract without a mistake, sorted by file name."""
    return _read()[0]


def contract_mistakes() -> list[str]:
    """One message for each contract with a mistake: file, field, rule, what was found and what to write."""
    return _read()[1]
