"""The names of roles, databases and schemas. Python takes them from here; `tests/unit/test_role_names.py` compares every copy."""

OWNER = "batchstream_owner"
"""Owns all tables, and publishes."""

LOADER = "kafka_user"
"""Produces and lands: may insert into the landing of a load that lands, and read."""

READER = "kafka_reader"
"""Reads what is published."""

CHECKER = "batchstream_checker"
"""Runs the contracts' SQL: it may read landings and published tables, and logs in nowhere."""

AIRFLOW = "airflow"
"""Role and database of Airflow's metadata."""

LOGINS = (OWNER, LOADER, READER, AIRFLOW)
"""Each has a password."""

SUPERUSER = "postgres"
"""Of the servers that we start; also the name of their first database."""

DATABASE = "kafka_streaming"

LANDING_SCHEMA = "landing"
TARGET_SCHEMA = "public"
PARTITIONS_SCHEMA = "published"
"""Holds the tables whose partitions are the loads that a swap has published."""
