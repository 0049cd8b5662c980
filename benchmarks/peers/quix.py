"""Quix Streams' PostgreSQL sink."""

import time

from psycopg import sql

from batchstream.postgres import names
from benchmarks.apps import __file__ as apps
from benchmarks.peers.common import application_environment, python, without_record_id
from benchmarks.stage import Stage, run


def quix(stage: Stage) -> tuple[float, sql.Identifier]:
    """Its application expands the arrays and commits every 10,000 messages or 5 seconds, its default; no key, so no upsert.

    The sink takes the columns of an INSERT from the first row of a batch, and skips those that are NULL there: a batch that
    begins with a NULL loses the column of all its rows. The fingerprint tells.
    Measured on a busy machine: 506 records 3.5 s, 100,000 records 16 s.
    """
    interpreter = python("quix")
    name, _ = without_record_id(stage, "quix")
    environment = {**application_environment(stage), "PEER_TABLE": name, "PEER_GROUP": f"quix-{time.monotonic_ns()}"}
    database, loader = sql.Identifier(names.DATABASE), sql.Identifier(names.LOADER)
    with stage.admin() as connection:
        # The sink says CREATE SCHEMA IF NOT EXISTS at each start, which takes this right although the schema is there.
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, loader))
        begun = time.monotonic()
        try:
            run([interpreter, apps.replace("__init__.py", "quix.py")], environment)
        finally:
            connection.execute(sql.SQL("REVOKE CREATE ON DATABASE {} FROM {}").format(database, loader))
        return time.monotonic() - begun, stage.table("quix")
