"""dlt, with a small Kafka resource of Arrow tables."""

import tempfile
import time

from psycopg import sql

from batchstream.postgres import names
from benchmarks.apps import __file__ as apps
from benchmarks.peers.common import application_environment, python
from benchmarks.stage import Stage, run


def dlt(stage: Stage) -> tuple[float, sql.Identifier]:
    """Arrow tables, Parquet files and ADBC, whose COPY BINARY is the quickest of its loaders; the table is replaced.

    Its CSV loader would land empty texts of nullable columns as NULL (FORCE_NULL), which the fingerprint has told.
    """
    interpreter = python("dlt")
    schema, table = "bench_dlt", f"{stage.contract.name}_dlt"
    with stage.admin() as connection:
        # What dlt keeps about its tables is in the same schema: without it, it would alter instead of create.
        connection.execute("DROP SCHEMA IF EXISTS bench_dlt CASCADE")
        connection.execute(sql.SQL("CREATE SCHEMA bench_dlt AUTHORIZATION {}").format(sql.Identifier(names.LOADER)))
        connection.execute("CHECKPOINT")
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **application_environment(stage),
            "PEER_TABLE": table,
            "PEER_SCHEMA": schema,
            "DLT_DATA_DIR": folder,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        begun = time.monotonic()
        run([interpreter, apps.replace("__init__.py", "dlt_kafka.py")], environment)
        return time.monotonic() - begun, sql.Identifier(schema, table)
