"""Airflow connections as the settings that the shared package takes; read when a task runs, never at parse time.

So nothing here or in the other modules that DAG files import brings PostgreSQL's client along: what needs it imports it when a
task runs.
"""

import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseHook, Connection

from batchstream.errors import ConnectionSettingsError

if TYPE_CHECKING:
    from batchstream.contract.elsewhere import Elsewhere
    from batchstream.postgres.connection import PostgresSettings

KAFKA = "batchstream_kafka"
POSTGRES = "batchstream_postgres"
POSTGRES_OWNER = "batchstream_postgres_owner"
SPARK = "batchstream_spark"

INSTALLATION_VARIABLE = "BATCHSTREAM_INSTALLATION"
"""Environment variable with a name of this Airflow; by default it is known by the address of its API."""


def _get(connection_id: str) -> Connection:
    return BaseHook.get_connection(connection_id)


def postgres_settings(connection_id: str) -> "PostgresSettings":
    """Settings of a PostgreSQL connection; further libpq parameters, such as sslmode, come from its extra."""
    from batchstream.postgres.connection import settings_of

    found = _get(connection_id)
    names = ("host", "port", "login", "password", "schema", "extra_dejson")
    return settings_of(connection_id, {name: getattr(found, name) for name in names})


def source_connection(source: "Elsewhere") -> Connection:
    """The connection that a contract names for its source.

    Raises:
        ConnectionSettingsError: There is none.
    """
    from airflow.sdk.exceptions import AirflowNotFoundException

    connection_id = source.connection or ""
    try:
        return _get(connection_id)
    except AirflowNotFoundException as error:
        raise ConnectionSettingsError(
            f"{source}: there is no connection '{connection_id}'; make it in Airflow, or mend sourceConnection"
        ) from error


def installation() -> str:
    """Which Airflow this is: several may share a database, and their scheduled runs have the same names."""
    from airflow.sdk.configuration import conf

    return os.environ.get(INSTALLATION_VARIABLE) or str(conf.get("api", "base_url", fallback=""))


def kafka_settings() -> dict[str, Any]:
    """Settings of the Kafka connection, in librdkafka's names."""
    settings: dict[str, Any] = _get(KAFKA).extra_dejson
    if not settings.get("bootstrap.servers"):
        raise ConnectionSettingsError(f"connection '{KAFKA}': extra has no 'bootstrap.servers'; mend this connection")
    return settings


def consumer_environment() -> dict[str, str]:
    """What the Spark driver needs to reach PostgreSQL and Kafka."""
    from batchstream.kafka.topics import KAFKA_VARIABLE
    from batchstream.postgres.connection import POSTGRES_VARIABLE

    return {
        POSTGRES_VARIABLE: msgspec.json.encode(postgres_settings(POSTGRES)).decode(),
        KAFKA_VARIABLE: json.dumps(kafka_settings()),
    }


def submit_environment() -> dict[str, str]:
    """Environment of ``spark-submit``: the task's, and what the driver needs, without what is Airflow's.

    A task inherits every connection, the address of Airflow's database and the keys of its API. The consumer needs none of them,
    and Spark shows its environment to whoever may look at its pages.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.lstrip("_").startswith("AIRFLOW")}
    return {**inherited, **consumer_environment()}


def spark_settings() -> dict[str, Any]:
    """What the Spark connection's extra says of jars, memory and configuration.

    Raises:
        ConnectionSettingsError: It names no folder for checkpoints.
    """
    settings: dict[str, Any] = _get(SPARK).extra_dejson
    if not settings.get("checkpoints"):
        raise ConnectionSettingsError(
            f"connection '{SPARK}': extra has no 'checkpoints'; write a folder of the driver, or of a file system that it knows"
        )
    return settings
