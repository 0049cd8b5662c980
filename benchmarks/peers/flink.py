"""Flink SQL with its Kafka and JDBC connectors."""

import os
import tempfile
import time
from pathlib import Path

from psycopg import sql

from batchstream.kafka.java_settings import java_settings
from batchstream.local import ports
from batchstream.postgres import names
from benchmarks.peers.common import jars, java_environment, without_record_id
from benchmarks.stage import Stage, run

TYPES = {"double precision": "DOUBLE", "integer": "INT", "text": "STRING", "boolean": "BOOLEAN", "date": "DATE"}
ROWS_A_BATCH = 5000

CONFIGURATION = """\
execution.target: local
parallelism.default: 2
taskmanager.numberOfTaskSlots: 2
"""

STATEMENTS = """\
SET 'table.dml-sync' = 'true';
CREATE TEMPORARY TABLE messages ({columns}) WITH (
  'connector' = 'kafka', 'topic' = '{topic}', {kafka}, 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');
CREATE TEMPORARY TABLE landed ({columns}) WITH (
  'connector' = 'jdbc', 'url' = '{url}', 'table-name' = '{table}', 'username' = '{user}', 'password' = '{password}',
  'sink.buffer-flush.max-rows' = '{rows}', 'sink.buffer-flush.interval' = '1s');
INSERT INTO landed SELECT * FROM messages;
"""


def flink(stage: Stage) -> tuple[float, sql.Identifier]:
    """Its SQL client with a cluster in the same JVM, parallelism 2, a bounded read, batches of 5,000 rewritten rows.

    The JSON format unrolls our arrays by itself. The JDBC connector is the newest there is, for Flink 2.0.
    """
    classes = [*jars(stage, "flink"), stage.jdbc_driver]
    name, _ = without_record_id(stage, "flink")
    load = stage.pipeline.ledger(stage.load_id)
    statements = STATEMENTS.format(
        columns=", ".join(f"`{c.name}` {TYPES[c.type.sql]}" for c in stage.contract.columns),
        topic=load["topic"],
        kafka=", ".join(f"'properties.{name}' = '{value}'" for name, value in java_settings(stage.pipeline.kafka).items()),
        url=f"jdbc:postgresql://{ports.LOOPBACK}:{stage.installation.ports['postgres']}/{names.DATABASE}?reWriteBatchedInserts=true",
        table=f"bench.{name}",
        user=names.LOADER,
        password=stage.installation.secrets[names.LOADER],
        rows=ROWS_A_BATCH,
    )
    with tempfile.TemporaryDirectory() as created:
        folder = Path(created)
        (folder / "config.yaml").write_text(CONFIGURATION)
        (folder / "job.sql").write_text(statements)
        command = ["java", "-cp", os.pathsep.join(map(str, classes)), "org.apache.flink.table.client.SqlClient"]
        environment = {**java_environment(stage), "FLINK_CONF_DIR": created, "FLINK_PLUGINS_DIR": str(folder / "none")}
        begun = time.monotonic()
        run([*command, "embedded", "-f", str(folder / "job.sql")], environment)
        return time.monotonic() - begun, stage.table("flink")
