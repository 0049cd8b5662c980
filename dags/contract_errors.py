"""Turns contracts with mistakes into an Airflow import error, in a file of its own so that every other DAG stays up."""

from batchstream.airflow import require_contracts

require_contracts()
