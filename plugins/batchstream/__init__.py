"""A daily reload done right. DAG files import `batchstream.airflow`; docs/api.md says what else is public."""
