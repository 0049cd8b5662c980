"""The contract of a load: the text with which it was opened, whatever the file says by now."""

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from batchstream.contract import Contract, contract_text, parse_contract
from batchstream.contract.own_types import all_known
from batchstream.contract.run_path import has_words
from batchstream.errors import ContractError, LoadError
from batchstream.postgres import ledger

log = logging.getLogger(__name__)


def pinned_contract(connection: psycopg.Connection, load_id: int) -> Contract:
    """The contract that `open_load` noted in the ledger; a file that differs by now is told in the log.

    Raises:
        LoadError: There is no such load, or it is of a version of batchstream that noted none.
        ContractError: This version of batchstream refuses that contract.
    """
    return of_row(ledger.read(connection, load_id))


def of_row(load: dict[str, Any]) -> Contract:
    """The same, out of a row of the ledger."""
    text, path = load["contract_text"], Path(load["contract_path"] or "")
    if not text:
        raise LoadError(f"load {load['load_id']} has no contract in the ledger: start a new run")
    if difference := _difference(path, text):
        log.warning(
            "%s has changed since load %s was opened (%s): this load goes on with the contract that it began with, the next one "
            "takes the new one",
            path,
            load["load_id"],
            difference,
        )
    contract = parse_contract(text, path, load["dataset"], all_known(load.get("own_types")))
    if has_words(str(contract.source.path)):
        # The path that the load was opened with.
        contract = replace(contract, source=contract.source.at(load["source_path"]))
    return contract


def _difference(path: Path, text: str) -> str | None:
    """How a contract's file differs from a text; whatever stands in its place, this waits for nothing and raises nothing."""
    if not os.path.lexists(path):
        return "it is not here any more"
    try:
        return None if contract_text(path) == text else "it has another text"
    except ContractError as error:
        return str(error)
