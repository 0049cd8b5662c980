"""Batchstream: the load itself (batches, landing, publish, ledger, checks), free of Airflow and Spark."""
