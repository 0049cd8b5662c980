"""Set-up of the stack in docker-compose.yaml, by its service ``init``: roles, databases, Airflow's schema and connections.

Safe to repeat, and repeated at each ``docker compose up``: what the compose files and the secrets say then holds.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from batchstream.errors import BatchstreamError
from batchstream.kafka.delivery import PRODUCER_SETTINGS
from batchstream.local.console import complain
from batchstream.local.errors import ServiceError
from batchstream.local.image import JARS, image_spark_connection
from batchstream.local.jars import jar_paths
from batchstream.postgres import names, setup

SECRETS = Path("/run/secrets")
STATE = Path("/var/lib/batchstream")

POSTGRES_HOST = "postgres"
POSTGRES_PORT = 5432
SPARK_MASTER = "spark://spark-master:7077"
DRIVER_HOST = "airflow-scheduler"
"""Where the tasks of LocalExecutor run, and with them Spark's driver; executors connect to it by this name."""

KAFKA_VARIABLE = "KAFKA_SETTINGS"
"""Environment variable with what the compose files say of the broker, in librdkafka's names, without the password."""


def main() -> int:
    """Set everything up; the exit status is 0, or 1 with a message."""
    try:
        passwords = {role: _secret(f"{role}_password") for role in names.LOGINS}
        setup.set_up(_connect, passwords)
        _airflow("db", "migrate")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(connections(passwords), file)
            file.flush()
            _airflow("connections", "import", "--overwrite", file.name)
    except (BatchstreamError, psycopg.OperationalError) as error:
        complain(str(error))
        return 1
    return 0


def connections(passwords: dict[str, str]) -> dict[str, dict[str, object]]:
    """Airflow's connections to the services of the stack."""
    kafka = {
        **PRODUCER_SETTINGS,
        **json.loads(os.environ[KAFKA_VARIABLE]),
    }
    if "sasl.username" in kafka:
        kafka["sasl.password"] = _secret("kafka_password")
    return {
        "batchstream_kafka": {"conn_type": "kafka", "extra": json.dumps(kafka)},
        "batchstream_spark": {
            "conn_type": "spark",
            "host": SPARK_MASTER,
            "extra": json.dumps(_spark()),
        },
        "batchstream_postgres": _postgres(names.LOADER, passwords),
        "batchstream_postgres_owner": _postgres(names.OWNER, passwords),
    }


def _spark() -> dict[str, object]:
    local = image_spark_connection(STATE)
    conf = {
        **local["conf"],
        "spark.driver.host": DRIVER_HOST,
        "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104 - inside of its container
        # The images have the same jars at the same place, so nothing has to be sent.
        "spark.executor.extraClassPath": os.pathsep.join(str(path) for path in jar_paths(JARS, "spark")),
    }
    return {
        **local,
        "conf": conf,
        "driver_memory": "512m",
        "executor_memory": "512m",
        "checkpoints": f"file://{STATE / 'checkpoints'}",
        # The secret of Spark's own connections: in a file, as a --conf could be read off the command line.
        "properties_file": str(SECRETS / "spark.properties"),
    }


def _postgres(role: str, passwords: dict[str, str]) -> dict[str, object]:
    # TLS, where an overlay asks for it, is in libpq's own variables: PGSSLMODE and the like.
    return {
        "conn_type": "postgres",
        "host": POSTGRES_HOST,
        "port": POSTGRES_PORT,
        "login": role,
        "password": passwords[role],
        "schema": names.DATABASE,
    }


def _connect(database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=POSTGRES_HOST,
        port=POSTGRES_PORT,
        user=names.SUPERUSER,
        password=_secret(f"{names.SUPERUSER}_password"),
        dbname=database,
        connect_timeout=10,
    )


def _secret(name: str) -> str:
    return (SECRETS / name).read_text().strip()


def _airflow(*arguments: str) -> None:
    if subprocess.run(["airflow", *arguments], check=False).returncode:
        raise ServiceError(f"'airflow {' '.join(arguments[:2])}' failed")


if __name__ == "__main__":
    sys.exit(main())
