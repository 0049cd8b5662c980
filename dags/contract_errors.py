"""Turns contracts with mistakes into an Airflow import error, in a file of its own so that every other DAG stays up."""

from batchstream.airflow.contracts import dags_of
from batchstream.errors import ContractError

_, mistakes = dags_of(None)
if mistakes:
    raise ContractError("\n".join(mistakes))
