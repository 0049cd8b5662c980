"""Consumes one load from its topic into its landing table, then stops (trigger availableNow): what ``spark-submit`` runs."""

import argparse
import json
import logging
import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from batchstream.spark.quick_start.installed_pyspark import prefer_installed_pyspark

prefer_installed_pyspark()

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from batchstream.spark.session import start_spark

log = logging.getLogger("batchstream.spark.consume")


def main() -> int:
    """Consume the load; the exit status is 0 if all of it has landed or is quarantined."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load-id", type=int, required=True)
    parser.add_argument("--checkpoints", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    die_with_parent()
    with ThreadPoolExecutor(1) as starting:
        # Nothing stops Spark but the end of this process: SparkSession.stop() waits up to half a second for a server that polls.
        return consume(arguments, starting.submit(start_spark))


def consume(arguments: argparse.Namespace, session: "Future[SparkSession]") -> int:
    """Consume the load as soon as Spark has started; returns the exit status."""
    # Spark takes longest to start: everything else is imported, and contract, connection and ledger are looked at, meanwhile.
    from batchstream.errors import BatchstreamError, SparkError
    from batchstream.kafka.topics import KAFKA_VARIABLE
    from batchstream.postgres.connection import POSTGRES_VARIABLE, PostgresSettings
    from batchstream.spark.job import Job
    from batchstream.spark.load import consume_load

    job = Job(
        load_id=arguments.load_id,
        checkpoints=arguments.checkpoints,
        kafka=json.loads(os.environ[KAFKA_VARIABLE]),
        settings=PostgresSettings(**json.loads(os.environ[POSTGRES_VARIABLE])),
    )

    def spark() -> SparkSession:
        try:
            return session.result()
        except Py4JError as error:
            raise SparkError(
                f"load {job.load_id}: Spark did not start, see its log; mend master, memory or jars of the Spark connection"
            ) from error

    try:
        consume_load(job, spark)
    except BatchstreamError as error:
        # The ledger tells the task, which may run on another machine.
        log.error("%s", error)
        return 1
    return 0


def die_with_parent() -> None:
    """End this process when the JVM that started it is gone: nobody would see what it still does."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="die-with-parent", daemon=True).start()
