"""Health checks of our own images: exit status 0 if a service is ready for what others want of it, and why not otherwise."""

import json
import socket
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

TIMEOUT_SECONDS = 5
AIRFLOW_DATABASE = Path("/run/secrets/airflow_sql_alchemy_conn")
HEARTBEAT_SECONDS = 60


def _json(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the addresses are below
        found: dict[str, object] = json.load(answer)
    return found


def spark_master() -> str | None:
    """It leads, and takes applications."""
    status = _json("http://spark-master:8080/json/")["status"]
    return None if status == "ALIVE" else f"the master is {status}"


def spark_worker() -> str | None:
    """The master knows it, and will give it executors: a worker without its master is of no use."""
    own = socket.gethostbyname(socket.gethostname())
    workers = _json("http://spark-master:8080/json/")["workers"]
    found = isinstance(workers, list) and any(worker["host"] == own and worker["state"] == "ALIVE" for worker in workers)
    return None if found else f"the master has no live worker at {own}"


def airflow_api() -> str | None:
    """It answers, and reaches its database."""
    health = _json("http://127.0.0.1:8088/api/v2/monitor/health")["metadatabase"]
    return None if health == {"status": "healthy"} else f"metadata database: {health}"


def airflow_job(job_type: str) -> str | None:
    """The component of this container has told the database lately that it works; a parser has DAGs to show."""
    import psycopg

    url = AIRFLOW_DATABASE.read_text().strip().replace("postgresql+psycopg2://", "postgresql://")
    with psycopg.connect(url, connect_timeout=TIMEOUT_SECONDS) as connection:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM job WHERE job_type = %s AND hostname = %s AND state = 'running' "
            "AND latest_heartbeat > now() - make_interval(secs => %s)), EXISTS (SELECT FROM dag)",
            [job_type, socket.gethostname(), HEARTBEAT_SECONDS],
        ).fetchone()
    alive, parsed = row or (False, False)
    if not alive:
        return f"no heartbeat of a {job_type} for {HEARTBEAT_SECONDS} s"
    return "no DAG is parsed yet" if job_type == "DagProcessorJob" and not parsed else None


CHECKS: dict[str, Callable[[], str | None]] = {
    "spark-master": spark_master,
    "spark-worker": spark_worker,
    "airflow-api-server": airflow_api,
    "airflow-scheduler": lambda: airflow_job("SchedulerJob"),
    "airflow-dag-processor": lambda: airflow_job("DagProcessorJob"),
    "airflow-triggerer": lambda: airflow_job("TriggererJob"),
}

if __name__ == "__main__":
    sys.exit(CHECKS[sys.argv[1]]())
