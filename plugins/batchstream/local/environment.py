"""What Airflow, Spark and the clients find in their environment: settings and connections, no file of theirs."""

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batchstream.kafka.delivery import PRODUCER_SETTINGS
from batchstream.local import ports
from batchstream.local.broker_settings import client_settings
from batchstream.local.jars import jar_paths
from batchstream.local.java import java_home
from batchstream.local.quick_start.archive import JAVA_OPTIONS, archive_path, options_with
from batchstream.local.quick_start.spark_home import installed_spark
from batchstream.paths import PROJECT_VARIABLE, ROOT
from batchstream.postgres import names

UI_USER = "admin"


def ledger_name(state: Path) -> str:
    """What a ledger calls the Airflow of an installation."""
    return f"{socket.gethostname()}:{state}"


def airflow_settings(state: Path, chosen: Mapping[str, int], secrets: Mapping[str, str]) -> dict[str, str]:
    """Airflow's own settings: LocalExecutor, and its metadata in a database of its own in the same PostgreSQL."""
    home = state / "airflow"
    api = f"http://{ports.LOOPBACK}:{chosen['airflow']}"
    database = f"{names.AIRFLOW}:{secrets[names.AIRFLOW]}@{ports.LOOPBACK}:{chosen['postgres']}/{names.AIRFLOW}"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        PROJECT_VARIABLE: str(ROOT),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": secrets["fernet"],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{UI_USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "ui_passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{database}",
        "AIRFLOW__API__HOST": ports.LOOPBACK,
        "AIRFLOW__API__PORT": str(chosen["airflow"]),
        "AIRFLOW__API__BASE_URL": api,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets["jwt"],
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets["jwt"],
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        # One server has the logs of all components: they share a folder. It listens on the loopback interface alone.
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(chosen["airflow_logs"]),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(chosen["airflow_logs"]),
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "batchstream.local.ports.loopback",
        # A run waits for it before each of its nine steps: about five seconds with the default of one, two with this.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        # The name of this Airflow in a ledger that several write; the address of its API, which is the usual one, may change.
        "BATCHSTREAM_INSTALLATION": ledger_name(state),
    }


def connections(state: Path, jars: Path, chosen: Mapping[str, int], secrets: Mapping[str, str]) -> dict[str, str]:
    """Airflow's connections, by environment variable."""
    kafka = {
        **client_settings(chosen["kafka"], secrets["kafka"]),
        **PRODUCER_SETTINGS,
    }
    found = {
        "batchstream_kafka": {"conn_type": "kafka", "extra": kafka},
        "batchstream_spark": {
            "conn_type": "spark",
            "host": "local[2]",
            "extra": spark_connection(jars, state, log_settings(state)),
        },
        "batchstream_postgres": _postgres(names.LOADER, chosen, secrets),
        "batchstream_postgres_owner": _postgres(names.OWNER, chosen, secrets),
    }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in found.items()}


def _postgres(role: str, chosen: Mapping[str, int], secrets: Mapping[str, str]) -> dict[str, object]:
    return {
        "conn_type": "postgres",
        "host": ports.LOOPBACK,
        "port": chosen["postgres"],
        "login": role,
        "password": secrets[role],
        "schema": names.DATABASE,
    }


def log_settings(state: Path) -> Path:
    """Log4j's settings of an installation."""
    return state / "spark" / "log4j2.properties"


def spark_connection(jars: Path, state: Path, log_settings: Path, *, further_jars: Sequence[Path] = ()) -> dict[str, Any]:
    """Extra of the Spark connection: local Spark, tuned for a small machine and a quick start.

    Args:
        jars: Folder with the connector's jars and the class-data archive.
        state: Folder below which Spark keeps its checkpoints.
        log_settings: Log4j's file.
        further_jars: What else goes on the driver's class path, after the connector.
    """
    class_path = os.pathsep.join(str(path) for path in [*jar_paths(jars, "spark"), *further_jars])
    archived = archive_path(jars, class_path)
    java_options = [
        *(options_with(archived) if archived.exists() else JAVA_OPTIONS),
        f"-Dlog4j2.configurationFile={log_settings}",
    ]
    return {
        "driver_class_path": class_path,
        "driver_memory": "1g",
        "checkpoints": str(state / "checkpoints"),
        "conf": {
            "spark.ui.enabled": "false",
            "spark.driver.host": ports.LOOPBACK,
            "spark.driver.bindAddress": ports.LOOPBACK,
            "spark.python.daemon.module": "batchstream.spark.quick_start.daemon",
            "spark.sql.session.timeZone": "UTC",
            "spark.driver.extraJavaOptions": " ".join(f'"{option}"' for option in java_options),
        },
    }


def tools() -> dict[str, str]:
    """Where Java, Python and their commands are."""
    binaries = Path(sys.executable).parent
    return {
        "JAVA_HOME": str(java_home()),
        # pyspark's own script that looks for it can't cope with a path with spaces.
        "SPARK_HOME": str(installed_spark()),
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '/usr/bin:/bin')}",
        # Otherwise the driver runs the first python3 on PATH.
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
