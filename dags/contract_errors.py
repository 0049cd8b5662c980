"""Turns contracts with mistakes into an Airflow import error, in a file of its own so that every other DAG stays up."""

from batchstream.errors import ContractError
from reload.contracts import dags_of

_, mistakes = dags_of(None)
if mistakes:
    raise ContractError("\n".join(mistakes))
