"""The contract: the only place that names a column."""

from batchstream.contract.model import Column, Contract
from batchstream.contract.odcs import load_contract, load_contracts, parse_contract, parse_contracts
from batchstream.contract.text import contract_text

__all__ = ["Column", "Contract", "contract_text", "load_contract", "load_contracts", "parse_contract", "parse_contracts"]
