"""Kafka Connect, standalone, with Debezium's JDBC sink."""

import json
import subprocess
import tempfile
import time
from functools import cache, partial
from pathlib import Path

import msgspec
import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from psycopg import sql

from batchstream.kafka.java_settings import java_settings
from batchstream.kafka.topics import client_settings
from batchstream.local import ports
from batchstream.postgres import names
from batchstream.records.source_reader import SourceReader
from benchmarks.peers.common import jars, java_environment, without_record_id
from benchmarks.stage import Stage

TYPES = {"double precision": "double", "integer": "int32", "text": "string", "boolean": "boolean", "date": "string"}
POLL_SECONDS = 0.1
LIMIT_SECONDS = 1200
ROWS_A_BATCH = 5000
PROVIDED = ("jackson-core", "jackson-databind", "jackson-annotations", "kafka-clients", "connect-api", "slf4j-api")


@cache
def single_topic(stage: Stage) -> str:
    """Fill a topic with the records of the stage's, one a message, once; the sink knows no arrays."""
    topic = f"{stage.contract.topic.name}-single"
    kafka = client_settings(stage.pipeline.kafka)
    admin = AdminClient(kafka)
    admin.create_topics([NewTopic(topic, stage.contract.topic.partitions, 1)])[topic].result()
    producer = Producer({**kafka, "linger.ms": 50})
    for batch in SourceReader(stage.contract):
        for record in msgspec.json.decode(batch.value, type=list[msgspec.Raw]):
            while True:
                try:
                    producer.produce(topic, bytes(record))
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.poll(0)
    if producer.flush(60):
        raise RuntimeError(f"{topic}: not all records were delivered")
    return topic


def _settings(stage: Stage, topic: str, table: str, *, unnest: bool) -> dict[str, str]:
    columns = stage.contract.columns
    schema = {
        "type": "struct",
        "fields": [{"field": c.name, "type": TYPES[c.type.sql], "optional": c.nullable} for c in columns],
    }
    dates = [column.name for column in columns if column.type.sql == "date"]
    settings = {
        "name": "bench",
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "tasks.max": str(stage.contract.topic.partitions),
        "topics": topic,
        "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        # One schema for all (KIP-1054), so the messages hold no more than ours do.
        "value.converter.schema.content": json.dumps(schema),
        "connection.url": f"jdbc:postgresql://{ports.LOOPBACK}:{stage.installation.ports['postgres']}/{names.DATABASE}"
        "?reWriteBatchedInserts=true",
        "connection.username": names.LOADER,
        "connection.password": "${env:PGPASSWORD}",
        "insert.mode": "insert",
        "primary.key.mode": "none",
        "schema.evolution": "none",
        "collection.name.format": table,
        "batch.size": str(ROWS_A_BATCH),
        "consumer.override.max.poll.records": str(ROWS_A_BATCH),
        "consumer.override.auto.offset.reset": "earliest",
        "dialect.postgres.unnest.insert.enabled": str(unnest).lower(),
    }
    for name in dates:
        prefix = f"transforms.{name}"
        settings[f"{prefix}.type"] = "org.apache.kafka.connect.transforms.TimestampConverter$Value"
        settings |= {f"{prefix}.field": name, f"{prefix}.format": "yyyy-MM-dd", f"{prefix}.target.type": "Date"}
    return settings | ({"transforms": ",".join(dates)} if dates else {})


def _worker(stage: Stage, folder: Path, plugins: Path) -> dict[str, str]:
    kafka = java_settings(stage.pipeline.kafka)
    return {
        **kafka,
        **{f"consumer.{name}": value for name, value in kafka.items()},
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "offset.storage.file.filename": str(folder / "offsets"),
        "plugin.path": str(plugins),
        "plugin.discovery": "service_load",
        "listeners": f"http://{ports.LOOPBACK}:{ports.any_free()}",
        # Secrets stay off the files.
        "config.providers": "env",
        "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
    }


def _write(path: Path, settings: dict[str, str]) -> str:
    path.write_text("".join(f"{name}={value.replace(chr(92), chr(92) * 2)}\n" for name, value in settings.items()))
    return str(path)


def connect(stage: Stage, *, unnest: bool) -> tuple[float, sql.Identifier]:
    """A worker with a task a partition and batches of 5,000 rows; the clock stops when the table holds all records.

    Measured on a busy machine, start included: 506 records 8 to 9 s, 100,000 records 37 s, with unnest 27 s.
    """
    runtime = jars(stage, "connect")
    plugins = stage.installation.state / "connect-plugins" / "debezium"
    plugins.mkdir(parents=True, exist_ok=True)
    for jar in jars(stage, "connect-sink"):
        # Connect brings these; twice, by two class loaders, they don't know each other.
        if not jar.name.startswith(PROVIDED) and not (plugins / jar.name).exists():
            (plugins / jar.name).symlink_to(jar)
    topic = single_topic(stage)
    name, table = without_record_id(stage, "unnest" if unnest else "connect")
    settings = _settings(stage, topic, f"bench.{name}", unnest=unnest)
    # A new group reads the topic from its beginning.
    settings["name"] = f"bench-{time.monotonic_ns()}"
    with tempfile.TemporaryDirectory() as created, stage.admin() as connection:
        folder = Path(created)
        worker = _write(folder / "worker.properties", _worker(stage, folder, plugins.parent))
        sink = _write(folder / "sink.properties", settings)
        # The heap of Kafka's own connect-standalone.sh.
        command = [
            "java",
            "-Xms256M",
            "-Xmx2G",
            "-cp",
            ":".join(map(str, runtime)),
            "org.apache.kafka.connect.cli.ConnectStandalone",
            worker,
            sink,
        ]
        with (folder / "log").open("w") as log:
            begun = time.monotonic()
            process = subprocess.Popen(command, env=java_environment(stage), stdout=log, stderr=subprocess.STDOUT)
            rows = size = 0
            try:
                while True:
                    size_before, size = size, _number(connection, f"SELECT pg_relation_size('{table}')")
                    # Not while the table grows: to count millions of rows again and again would take what the sink needs.
                    if size == size_before:
                        rows = _number(connection, f"SELECT count(*) FROM {table}")
                    taken = time.monotonic() - begun
                    if rows >= stage.records:
                        break
                    text = (folder / "log").read_text()
                    # A worker stays when its tasks have failed.
                    if process.poll() is not None or taken > LIMIT_SECONDS or "Task is being killed" in text:
                        causes = [line for line in text.splitlines() if "Caused by" in line or " ERROR " in line]
                        raise RuntimeError(f"{rows} rows after {taken:.0f} s: {' '.join(causes)[-3000:]}")
                    time.sleep(POLL_SECONDS)
            finally:
                process.kill()
                process.wait()
    return taken, stage.table("unnest" if unnest else "connect")


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


connect_batches = partial(connect, unnest=False)
connect_unnest = partial(connect, unnest=True)
