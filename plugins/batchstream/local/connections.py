"""Which engines the loads of an installation use: the embedded ones, or those of connections that a user has set."""

import json
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from batchstream.local.errors import ServiceError

PREFIX = "AIRFLOW_CONN_"
KAFKA = "batchstream_kafka"
LOADER = "batchstream_postgres"
OWNER = "batchstream_postgres_owner"
IDS = (KAFKA, "batchstream_spark", LOADER, OWNER)
IN_AIRFLOW = "Airflow's connections"


@dataclass(frozen=True)
class Connections:
    """Airflow's connections of an installation.

    Attributes:
        variables: The environment variables that give them.
        own: Of those that a user has set, where: the environment variable, or `IN_AIRFLOW`.
    """

    variables: Mapping[str, str]
    own: Mapping[str, str]


def choose(embedded: Mapping[str, str], inherited: Mapping[str, str], stored: Collection[str]) -> Connections:
    """Let a user's connections go before the embedded ones.

    Args:
        embedded: Environment variables for the embedded engines.
        inherited: The caller's environment.
        stored: Ids of the connections in Airflow's database; Airflow looks there only for what no variable gives.

    Raises:
        ServiceError: One of the two for PostgreSQL is set and the other is not.
    """
    given = {name: text for name, text in inherited.items() if name.startswith(PREFIX) and text != embedded.get(name)}
    own = {}
    for id_ in IDS:
        if variable(id_) in given:
            own[id_] = variable(id_)
        elif id_ in stored:
            own[id_] = IN_AIRFLOW
    alone = {LOADER, OWNER} & own.keys()
    if len(alone) == 1:
        (found,) = alone
        (other,) = {LOADER, OWNER} - alone
        raise ServiceError(
            f"connection '{found}' is set ({own[found]}), and '{other}' is not: set both, as they have to be of one database"
        )
    kept = {variable(id_): embedded[variable(id_)] for id_ in IDS if id_ not in own}
    return Connections({**given, **kept}, own)


def stored_in_airflow(connection: psycopg.Connection) -> list[str]:
    """Ids of our connections that somebody has made in Airflow, by its web interface or its command."""
    if connection.execute("SELECT to_regclass('public.connection')").fetchone() == (None,):
        return []
    return [id_ for (id_,) in connection.execute("SELECT conn_id FROM connection WHERE conn_id = ANY(%s)", [list(IDS)])]


def resolve(id_: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a connection, wherever Airflow finds it.

    Raises:
        ServiceError: Airflow can't read it.
    """
    done = subprocess.run(
        ["airflow", "connections", "get", id_, "--output", "json"],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        # Whatever else Airflow prints comes before it.
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])[0]
    except (IndexError, ValueError):
        raise ServiceError(f"connection '{id_}': Airflow can't read it: {done.stderr.strip()[-300:]}") from None
    return found


def variable(id_: str) -> str:
    """Environment variable of a connection."""
    return f"{PREFIX}{id_.upper()}"
