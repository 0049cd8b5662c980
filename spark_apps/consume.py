"""Entry point: consumes one load from its topic into its landing table, then stops (trigger availableNow)."""

import argparse
import json
import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from batchstream.contract import Contract, load_contract
from batchstream.errors import BatchstreamError, LoadError, TopicError
from batchstream.postgres import connection as postgres
from batchstream.postgres import ledger
from batchstream.topics import topic_id
from spark_apps import source, transform
from spark_apps.checkpoints import checkpoint_folder, remove_old_checkpoints
from spark_apps.sink import DRIVER_MESSAGES, Sink

log = logging.getLogger("spark_apps.consume")


def main() -> int:
    """Consume the load; the exit status is 0 if all of it has landed or is quarantined."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contract", type=Path, required=True)
    parser.add_argument("--load-id", type=int, required=True)
    parser.add_argument("--checkpoints", required=True, help="folder for checkpoints, on any file system that Spark knows")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    _die_with_parent()
    settings = json.loads(os.environ[postgres.SETTINGS_VARIABLE])
    try:
        with postgres.connect(
            postgres.PostgresSettings(**settings), application_name=f"batchstream load {arguments.load_id} driver"
        ) as connection:
            _consume_or_note(connection, arguments)
    except BatchstreamError as error:
        log.error("%s", error)
        return 1
    return 0


def _consume_or_note(connection: psycopg.Connection, arguments: argparse.Namespace) -> None:
    try:
        with ledger.working_on(connection, arguments.load_id):
            _consume(connection, arguments)
    except BatchstreamError as error:
        if not connection.closed:
            with connection.transaction():
                ledger.note_failure(connection, arguments.load_id, str(error))
        raise


def _consume(connection: psycopg.Connection, arguments: argparse.Namespace) -> None:
    contract = load_contract(arguments.contract)
    kafka = json.loads(os.environ[source.SETTINGS_VARIABLE])
    with connection.transaction():
        ledger.require_state(connection, arguments.load_id, ledger.State.PRODUCED, ledger.State.LANDED)
        load = ledger.read(connection, arguments.load_id)
    _require_same_topic(kafka, contract, load)
    sink = Sink(
        contract_path=arguments.contract,
        load_id=arguments.load_id,
        settings=postgres.PostgresSettings(**json.loads(os.environ[postgres.SETTINGS_VARIABLE])),
        connection=connection,
        on_driver=_planned_messages(load) <= DRIVER_MESSAGES,
    )
    spark = SparkSession.builder.appName(f"batchstream {contract.name} load {arguments.load_id}").getOrCreate()
    try:
        _run(spark, arguments, contract, load, kafka, sink)
        remove_old_checkpoints(spark, arguments.checkpoints, contract, arguments.load_id)
    finally:
        spark.stop()
    with connection.transaction():
        ledger.transition(connection, arguments.load_id, ledger.State.LANDED, **_counts(connection, arguments.load_id, sink))
    log.info("load %d: %s", arguments.load_id, sink.total._asdict())


def _run(
    spark: SparkSession,
    arguments: argparse.Namespace,
    contract: Contract,
    load: dict[str, Any],
    kafka: dict[str, Any],
    sink: Sink,
) -> None:
    raw = source.read_messages(
        spark, kafka, load["topic"], load["start_offsets"], min_partitions=spark.sparkContext.defaultParallelism
    )
    try:
        (
            transform.messages(raw)
            .writeStream.queryName(f"{contract.name} load {arguments.load_id}")
            .trigger(availableNow=True)
            .option("checkpointLocation", checkpoint_folder(arguments.checkpoints, contract, arguments.load_id))
            .foreachBatch(sink)
            .start()
            .awaitTermination()
        )
    except StreamingQueryException as error:
        raise sink.error or LoadError(f"load {arguments.load_id}: Spark gave up: {error.getMessage()}") from error


def _require_same_topic(kafka: dict[str, Any], contract: Contract, load: dict[str, Any]) -> None:
    found = topic_id(kafka, contract.topic)
    if found != load["topic_id"]:
        raise TopicError(
            f"topic '{load['topic']}' was deleted and made anew since load {load['load_id']} began "
            f"(its id was {load['topic_id']}, now it is {found}): the offsets of the load mean nothing in it; start a new run"
        )


def _planned_messages(load: dict[str, Any]) -> int:
    """Messages from where the load began to its last acknowledged one, those of failed tries included."""
    return sum(last + 1 - load["start_offsets"][partition] for partition, (_, last) in load["acknowledged_offsets"].items())


def _counts(connection: psycopg.Connection, load_id: int, sink: Sink) -> dict[str, int]:
    row = connection.execute(
        "SELECT count(*), coalesce(sum(records), 0)::bigint, coalesce(sum(landed), 0)::bigint, "
        "(SELECT count(*) FROM batchstream.quarantine AS q WHERE q.load_id = %(load_id)s) "
        "FROM batchstream.batches WHERE load_id = %(load_id)s",
        {"load_id": load_id},
    ).fetchone()
    names = ("consumed_batches", "consumed_records", "landed_records", "quarantined_records")
    return {**dict(zip(names, row or (), strict=True)), "messages_of_other_loads": sink.total.other_loads}


def _die_with_parent() -> None:
    """End this process when the JVM that started it is gone: nobody would see what it still does."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="die-with-parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
