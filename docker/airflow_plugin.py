"""Brings batchstream's listener into the Airflow of the image, where the package is no installed one with an entry point."""

from batchstream.airflow.listener import BatchstreamPlugin

__all__ = ["BatchstreamPlugin"]
