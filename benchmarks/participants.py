"""Who takes part: each lands the same topic in a table of its own, and is timed from the start of its process to its end."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from batchstream.contract.model import Contract, Publish
from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.local import ports
from batchstream.local.quick_start.archive import JAVA_OPTIONS
from batchstream.local.quick_start.spark_home import installed_spark
from batchstream.postgres import names, relations
from batchstream.postgres.publish.steps import publish as publish_load
from benchmarks import apps
from benchmarks.peers.common import java_environment, without_record_id
from benchmarks.peers.connect import connect_batches, connect_unnest
from benchmarks.peers.dlt import dlt
from benchmarks.peers.flink import flink
from benchmarks.peers.quix import quix
from benchmarks.stage import Stage, run

LARGE = 100_000
MILLION = 1_000_000
ONLY_C1 = f'"{JAVA_OPTIONS[0]}"'

APPS = Path(apps.__file__).parent
SPARK_TYPES = {"double precision": "double", "integer": "int", "text": "string", "boolean": "boolean", "date": "date"}


@dataclass(frozen=True)
class Participant:
    """One way to land a topic.

    Attributes:
        run: Lands it, and returns the seconds that count and the table.
        guarantee: What of it survives a retry.
        has_record_id: Whether its table has our record id.
        least_records: Sizes below are left out, as they would say nothing.
        most_records: Sizes above are left out: its way is meant for small ones.
        for_further_indexes: Datasets that have no index but the key's are left out.
    """

    run: Callable[[Stage], tuple[float, sql.Identifier]]
    guarantee: str
    has_record_id: bool = True
    least_records: int = 0
    most_records: int = 10**9
    for_further_indexes: bool = False

    def takes(self, contract: Contract, records: int) -> bool:
        """Whether it is measured with a dataset of that many records."""
        has_further = any(column.indexed for column in contract.columns)
        return self.least_records <= records <= self.most_records and (has_further or not self.for_further_indexes)


def _environment(stage: Stage) -> dict[str, str]:
    return {**java_environment(stage), KAFKA_VARIABLE: json.dumps(stage.pipeline.kafka)}


def _ours(stage: Stage, publishing: Contract | None) -> tuple[float, sql.Identifier]:
    """Spark's process, the checks of all counts and rules, and the publish."""
    stage.reset_load(publishing)
    return _run(stage, publishing)


def _run(stage: Stage, publishing: Contract | None) -> tuple[float, sql.Identifier]:
    begun = time.monotonic()
    process = stage.pipeline.submit(stage.load_id)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(output[-3000:])
    passed, message = stage.pipeline.verify(stage.load_id)
    if not passed:
        raise RuntimeError(message)
    if publishing is not None:
        with stage.pipeline.connect(names.OWNER) as connection:
            publish_load(connection, publishing, stage.load_id)
    return time.monotonic() - begun, relations.landing(stage.contract, stage.load_id)


def landed(stage: Stage) -> tuple[float, sql.Identifier]:
    """Ours, to the verified landing."""
    return _ours(stage, None)


def derived(stage: Stage) -> tuple[float, sql.Identifier]:
    """The same, with two further columns that Spark computes."""
    with stage.deriving() as contract:
        stage.reset_load(contract)
        return _run(stage, None)


def published(stage: Stage) -> tuple[float, sql.Identifier]:
    """Ours, to the published target of a dataset that has none yet."""
    stage.reset_target(Publish.MERGE)
    seconds, _ = _ours(stage, stage.published_by(Publish.MERGE))
    return seconds, stage.first_load()


def reloaded(stage: Stage) -> tuple[float, sql.Identifier]:
    """Ours, to the published target, which holds the same rows already: every day's reload."""
    found = _ours(stage, stage.published_by(Publish.MERGE))
    load = stage.pipeline.ledger(stage.load_id)
    if (load["inserted_rows"], load["updated_rows"], load["deleted_rows"]) != (0, 0, 0):
        raise RuntimeError(f"a reload of the same data wrote rows: {load}")
    return found


def changed(stage: Stage) -> tuple[float, sql.Identifier]:
    """Ours, to the published target, where every row has another value: what a swap is meant for, by a merge."""
    stage.change_target()
    found = _ours(stage, stage.published_by(Publish.MERGE))
    load = stage.pipeline.ledger(stage.load_id)
    if (load["inserted_rows"], load["updated_rows"], load["deleted_rows"]) != (0, stage.records, 0):
        raise RuntimeError(f"not every row was updated: {load}")
    return found


def swapped(stage: Stage) -> tuple[float, sql.Identifier]:
    """Ours, shown to readers by a swap."""
    return _swapped(stage, stage.published_by(Publish.SWAP))


def swapped_by_key_alone(stage: Stage) -> tuple[float, sql.Identifier]:
    """The same of a contract that asks for no index but the key's."""
    return _swapped(stage, stage.swapped_by_key_alone())


def _swapped(stage: Stage, contract: Contract) -> tuple[float, sql.Identifier]:
    stage.reset_target(Publish.SWAP)
    found = _ours(stage, contract)
    landing = relations.landing(stage.contract, stage.load_id)
    with stage.admin() as connection:
        connection.execute(
            sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(relations.partitioned_table(stage.contract), landing)
        )
        # The others' tables are made like the landing.
        connection.execute(sql.SQL("ALTER TABLE {} DROP COLUMN created_at, DROP COLUMN load_id").format(landing))
    stage.reset_target(Publish.MERGE)
    return found


def _jdbc(stage: Stage, name: str, *, tuned: bool, rewrite: bool) -> tuple[float, sql.Identifier]:
    # from_json has no record id to give.
    _, target = without_record_id(stage, name)
    settings = stage.installation.spark_settings()
    connector = settings["driver_class_path"].split(os.pathsep)
    if tuned:
        options = ["--driver-class-path", os.pathsep.join([*connector, str(stage.jdbc_driver)])]
        for setting, value in settings["conf"].items():
            # Its work is Java's: C1 alone is as quick up to a million records, and takes half as long again for ten.
            options += ["--conf", f"{setting}={value.replace(ONLY_C1, '') if stage.records > MILLION else value}"]
    else:
        options = ["--jars", ",".join([*connector, str(stage.jdbc_driver)])]
    load = stage.pipeline.ledger(stage.load_id)
    schema = ", ".join(f"`{c.name}` {SPARK_TYPES[c.type.sql]}" for c in stage.contract.columns)
    url = f"jdbc:postgresql://{ports.LOOPBACK}:{stage.installation.ports['postgres']}/{names.DATABASE}"
    offsets = json.dumps({load["topic"]: load["start_offsets"]})
    arguments = [load["topic"], offsets, schema, url, target, str(rewrite).lower()]
    begun = time.monotonic()
    environment = _environment(stage) if tuned else {**_environment(stage), "SPARK_HOME": str(installed_spark())}
    run(["spark-submit", "--master", "local[2]", *options, str(APPS / "jdbc.py"), *arguments], environment)
    return time.monotonic() - begun, stage.table(name)


def plain_chain(stage: Stage) -> tuple[float, sql.Identifier]:
    """Spark as it comes, jars by --jars, from_json, JDBC append."""
    return _jdbc(stage, "plain", tuned=False, rewrite=False)


def jdbc_default(stage: Stage) -> tuple[float, sql.Identifier]:
    """The same with our settings of the JVM."""
    return _jdbc(stage, "jdbc", tuned=True, rewrite=False)


def jdbc_rewritten(stage: Stage) -> tuple[float, sql.Identifier]:
    """The same, and reWriteBatchedInserts."""
    return _jdbc(stage, "rewritten", tuned=True, rewrite=True)


def _single(stage: Stage, way: str) -> tuple[float, sql.Identifier]:
    table = stage.empty_table(way)
    load = stage.pipeline.ledger(stage.load_id)
    name = f"bench.{stage.contract.name}_{way}"
    arguments = [
        way,
        str(stage.contract.path),
        json.dumps(load["acknowledged_offsets"]),
        name,
    ]
    begun = time.monotonic()
    run(["python", "-m", "benchmarks.apps.single", *arguments], {**_environment(stage), "PYTHONPATH": str(APPS.parents[1])})
    return time.monotonic() - begun, table


def single_process(stage: Stage) -> tuple[float, sql.Identifier]:
    """One Python process with our codec and COPY: why Spark, then?"""
    return _single(stage, "copy")


def single_process_json(stage: Stage) -> tuple[float, sql.Identifier]:
    """The same as one writes it at first: json.loads, no contract, and psycopg's COPY of texts."""
    return _single(stage, "json")


def row_by_row(stage: Stage) -> tuple[float, sql.Identifier]:
    """psycopg2, an INSERT a row in one transaction: the proof of concept's way."""
    return _single(stage, "rows")


def raw_copy(stage: Stage) -> tuple[float, sql.Identifier]:
    """The limit: COPY BINARY from memory over one connection, rows that were encoded before."""
    content = stage.encoded_rows()
    table = stage.empty_table("raw")
    with stage.pipeline.connect() as connection:
        begun = time.monotonic()
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(table)) as copy:
            copy.write(content)
        connection.commit()
        return time.monotonic() - begun, table


PARTICIPANTS = {
    "batchstream, landed": Participant(landed, "exactly once in effect, verified"),
    "batchstream, landed with two derived columns": Participant(derived, "exactly once in effect, verified"),
    "batchstream, published": Participant(published, "exactly once in effect, verified, published"),
    "batchstream, reload of the same data": Participant(
        reloaded, "exactly once in effect, verified, published", least_records=LARGE
    ),
    "batchstream, reload with every row changed": Participant(
        changed, "exactly once in effect, verified, published", least_records=LARGE
    ),
    "batchstream, published by a swap": Participant(swapped, "exactly once in effect, verified, published", least_records=LARGE),
    "batchstream, the same without further indexes": Participant(
        swapped_by_key_alone, "exactly once in effect, verified, published", least_records=LARGE, for_further_indexes=True
    ),
    "plain chain": Participant(plain_chain, "at least once", has_record_id=False),
    "Spark JDBC, default": Participant(jdbc_default, "at least once", has_record_id=False),
    "Spark JDBC, rewritten": Participant(jdbc_rewritten, "at least once", has_record_id=False),
    "Kafka Connect, Debezium JDBC sink": Participant(connect_batches, "at least once", has_record_id=False),
    "Kafka Connect, the same with unnest": Participant(connect_unnest, "at least once", has_record_id=False),
    "Flink SQL": Participant(flink, "at least once", has_record_id=False),
    "Quix Streams": Participant(quix, "at least once", has_record_id=False),
    "dlt": Participant(dlt, "none: starts anew, and replaces the table", has_record_id=False),
    "one process, COPY": Participant(single_process, "none: starts anew"),
    "one process, json and COPY": Participant(single_process_json, "none: starts anew, checks nothing"),
    "psycopg2, row by row": Participant(row_by_row, "none: starts anew", most_records=10_000),
    "raw COPY": Participant(raw_copy, "the limit: no Kafka, no decoding"),
}
