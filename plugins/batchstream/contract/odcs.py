"""Reads a contract file in the Open Data Contract Standard (https://bitol-io.github.io/open-data-contract-standard/)."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from batchstream.contract import tables
from batchstream.contract.column_types import NO_TYPES, ColumnType
from batchstream.contract.document import Document, read_located
from batchstream.contract.effects import lies_in_told
from batchstream.contract.mistake import MistakeError, clipped, said
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Contract
from batchstream.contract.standard import read_standard
from batchstream.contract.table_contract import read_table_contract
from batchstream.contract.text import contract_text
from batchstream.contract.told import Told
from batchstream.errors import ContractError, errors_about


def load_contract(path: Path, table: str | None = None) -> Contract:
    """Read and check a contract file; see `parse_contract`.

    Raises:
        ContractError: The file can't be read, or a field breaks a rule: file, field, rule, what was found, what to write.
    """
    return parse_contract(contract_text(path), path, table)


def load_contracts(path: Path) -> tuple[Contract, ...]:
    """The same for each table of the file."""
    return parse_contracts(contract_text(path), path)


def load_tables(path: Path) -> "ReadTables":
    """The same for each table of the file that has no mistake, and the mistakes of the others.

    Raises:
        ContractError: The file can't be read, or has no tables that could be told from one another.
    """
    return read_tables(contract_text(path), path)


def parse_contract(text: str, path: Path, table: str | None = None, types: Mapping[str, ColumnType] = NO_TYPES) -> Contract:
    """Check the text of a contract, and take one of its tables. A mistake in another table doesn't matter.

    Args:
        text: The contract, such as the ledger keeps it for a load.
        path: The file that it was read from, which need not hold this text any more: named in messages, and where
            ``sourcePath`` begins.
        table: Which table; it need not be named if there is only one.
        types: Enum types and domains of the database, by the names that the contract has for them.

    Raises:
        ContractError: Fields break a rule, all of which it tells: file, line, field, rule, what was found, what to write; or
            there is no such table.
    """
    return read_contract(text, path, table, types).contract


def parse_contracts(text: str, path: Path) -> tuple[Contract, ...]:
    """Check the text of a contract: one for each of its tables.

    Raises:
        ContractError: One of them has a mistake.
    """
    found = read_tables(text, path)
    if found.mistakes:
        with errors_about(path=str(path)):
            raise ContractError(*found.mistakes)
    return tuple(one.contract for one in found.valid)


class ReadContract(NamedTuple):
    """A contract, and what of its text has no effect.

    Attributes:
        contract: What the text says.
        told: A sentence for each field without effect here, and for each default that depends on other fields, with its line.
    """

    contract: Contract
    told: tuple[str, ...]


class ReadTables(NamedTuple):
    """The tables of a contract.

    Attributes:
        valid: Those without a mistake.
        mistakes: A message for each mistake of the others.
    """

    valid: tuple[ReadContract, ...]
    mistakes: tuple[str, ...]


def read_contract(text: str, path: Path, table: str | None = None, types: Mapping[str, ColumnType] = NO_TYPES) -> ReadContract:
    """The same as `parse_contract`, with what is worth to be told to the author of the contract."""
    found = read_tables(text, path, types)
    chosen = [read for read in found.valid if table in (None, read.contract.name)]
    with errors_about(path=str(path)):
        if found.mistakes and (table is None or not chosen):
            raise ContractError(*found.mistakes)
        if len(chosen) == 1:
            return chosen[0]
        held = clipped(", ".join(f"'{read.contract.name}'" for read in found.valid))
        wanted = "has several tables, and none is named" if table is None else f"has no table '{table}'"
        raise ContractError(f"{path}: schema: {wanted}; got {held}; name one of them")


def read_tables(text: str, path: Path, types: Mapping[str, ColumnType] = NO_TYPES) -> ReadTables:
    """Each table of a contract, and all mistakes of all of them at once.

    Raises:
        ContractError: The text is no contract at all.
    """
    found: list[ReadContract] = []
    mistakes: list[str] = []
    with errors_about(path=str(path)):
        for document in tables.each(_document(text, path)):
            try:
                found.append(_read_table(document, path, types))
            except ContractError as error:
                # What is said of the contract as a whole is said for each table.
                before = {*mistakes}
                mistakes += [mistake for mistake in error.mistakes if mistake not in before]
    return ReadTables(tuple(found), tuple(mistakes))


def _read_table(document: Document, path: Path, types: Mapping[str, ColumnType]) -> ReadContract:
    mistakes = Mistakes()
    for error in document.mistakes:
        # What only people read means what they read.
        if not lies_in_told(error.at):
            mistakes.note(error.at, f"{said(error.at)}: {error.rule}", unreadable=True)
    odcs = read_standard(document.value, mistakes)
    contract = read_table_contract(path, odcs, mistakes, types) if odcs else None
    mistakes.raise_any(path, document)
    if contract is None:
        raise ContractError(Told(path, "can't be read by the standard's model; write what the standard says"))
    return ReadContract(contract, mistakes.told(document))


def _document(text: str, path: Path) -> Document:
    try:
        document = read_located(text)
        if not isinstance(document.value, dict):
            raise MistakeError("file", f"must be a mapping; got {type(document.value).__name__}; write an ODCS contract")
    except yaml.YAMLError as error:
        why = " ".join(str(error).split()).replace(' in "<unicode string>",', ",")
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        message = f"is not YAML: {why}; mend the file; a value that begins with such as * or @ needs quotes"
        raise ContractError(Told(path, message, None if mark is None else mark.line + 1)) from error
    except MistakeError as error:
        raise ContractError(Told(path, clipped(str(error) if error.line is None else error.rule), error.line)) from error
    return document
