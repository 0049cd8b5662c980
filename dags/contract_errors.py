"""Turns contracts with mistakes into an Airflow import error, in a file of its own so that every other DAG stays up."""

from batchstream.errors import ContractError
from reload.contracts import contract_mistakes

if mistakes := contract_mistakes():
    raise ContractError("\n".join(mistakes))
