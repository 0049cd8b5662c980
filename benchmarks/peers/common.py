"""What the peers share: where the services are, a Python environment each, and the jars."""

import json
import os
import subprocess
import sys
from pathlib import Path

from batchstream.kafka.topics import client_settings
from batchstream.local import ports
from batchstream.local.errors import ServiceError
from batchstream.local.installation import STATE_FOLDER
from batchstream.local.jars import download_missing, jar_paths
from batchstream.postgres import names
from benchmarks.stage import Stage

FOLDER = Path(__file__).parent
ENVIRONMENTS = STATE_FOLDER / "peers"
UV = STATE_FOLDER / "uv" / "bin" / "uv"


def java_environment(stage: Stage) -> dict[str, str]:
    """Where Java is, and how PostgreSQL is reached."""
    return {
        **stage.installation.environment(),
        "PGHOST": ports.LOOPBACK,
        "PGPORT": str(stage.installation.ports["postgres"]),
        "PGDATABASE": names.DATABASE,
        "PGUSER": names.LOADER,
        "PGPASSWORD": stage.installation.secrets[names.LOADER],
    }


def application_environment(stage: Stage) -> dict[str, str]:
    """The same, and what there is to read: broker, topic, last offsets, columns."""
    load = stage.pipeline.ledger(stage.load_id)
    return {
        **java_environment(stage),
        "PEER_KAFKA": json.dumps(client_settings(stage.pipeline.kafka)),
        "PEER_TOPIC": load["topic"],
        "PEER_SPANS": json.dumps(load["acknowledged_offsets"]),
        "PEER_RECORDS": str(stage.records),
        "PEER_COLUMNS": json.dumps({column.name: column.type.sql for column in stage.contract.columns}),
    }


def python(name: str) -> str:
    """The interpreter of a peer's own environment, installed when it is missing or its pins have changed.

    Raises:
        RuntimeError: It can't be installed.
    """
    folder, requirements = ENVIRONMENTS / name, FOLDER / f"{name}.txt"
    stamp, interpreter = folder / "requirements.txt", folder / "bin" / "python"
    # The interpreter that runs ours, or the comparison would be one of interpreters.
    wanted = f"{sys.base_prefix}\n{requirements.read_text()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        pip = ["pip", "install", "--python", str(interpreter), "--require-hashes", "--only-binary", ":all:"]
        environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
        for command in (["venv", "--clear", "--python", sys.executable, str(folder)], [*pip, "-r", str(requirements)]):
            done = subprocess.run([str(UV), *command], env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{name} can't be installed: {done.stderr[-1000:]}")
        stamp.write_text(wanted)
    return str(interpreter)


def jars(stage: Stage, *kinds: str) -> list[Path]:
    """The jars of some sets of the lock file, downloaded when they are missing.

    Raises:
        RuntimeError: They can't be had.
    """
    try:
        download_missing(stage.installation.jars, kinds)
    except ServiceError as error:
        raise RuntimeError(str(error)) from error
    return [path for kind in kinds for path in jar_paths(stage.installation.jars, kind)]


def without_record_id(stage: Stage, name: str) -> tuple[str, str]:
    """An empty table of the contract's columns alone; returns its name below the schema bench, and its whole name."""
    with stage.admin() as connection:
        table = stage.empty_table(name).as_string(connection)
        connection.execute(f"ALTER TABLE {table} DROP COLUMN record_id")
    return f"{stage.contract.name}_{name}", table
