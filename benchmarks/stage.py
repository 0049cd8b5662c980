"""What every participant finds: a broker, a PostgreSQL, and a topic that holds one load of a dataset."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import yaml
from confluent_kafka.admin import AdminClient, NewTopic
from psycopg import sql

from batchstream.contract import Contract, parse_contract
from batchstream.contract.model import Publish
from batchstream.kafka.topics import KAFKA_VARIABLE, client_settings
from batchstream.local.installation import Installation
from batchstream.local.jars import download_missing, jar_paths
from batchstream.paths import ROOT
from batchstream.postgres import landing_table, names, relations, tables
from benchmarks.datasets import write_dataset
from tests.support.pipeline import Pipeline
from tests.support.spark import SharedSpark


class Stage:
    """One dataset of one size, produced once."""

    def __init__(self, installation: Installation, kind: str, records: int) -> None:
        self.installation = installation
        self.kind = kind
        self.records = records
        contract = write_dataset(kind, records, installation.state / "datasets")
        self.pipeline = Pipeline(installation, SharedSpark(installation), contract)
        self.contract: Contract = self.pipeline.contract
        download_missing(installation.jars, ("bench",))
        self.jdbc_driver = jar_paths(installation.jars, "bench")[0]
        self.load_id = self.pipeline.open(wait_seconds=40)
        self.pipeline.create_topic(self.load_id)
        self.pipeline.produce(self.load_id)
        self.rows_file = installation.state / f"{self.contract.name}.copy"

    def admin(self) -> psycopg.Connection:
        """A superuser's connection."""
        connection = self.installation.postgres.connect(names.DATABASE)
        connection.autocommit = True
        return connection

    def table(self, name: str) -> sql.Identifier:
        """The table of a participant."""
        return sql.Identifier("bench", f"{self.contract.name}_{name}")

    def empty_table(self, name: str) -> sql.Identifier:
        """The same, made anew: the landing's columns."""
        table = self.table(name)
        landing = relations.landing(self.contract, self.load_id)
        loader = sql.Identifier(names.LOADER)
        with self.admin() as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS bench")
            connection.execute(sql.SQL("GRANT ALL ON SCHEMA bench TO {}").format(loader))
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
            connection.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(table, landing))
            connection.execute(sql.SQL("GRANT ALL ON {} TO {}").format(table, loader))
            connection.execute("CHECKPOINT")
        return table

    def drop(self, table: sql.Identifier) -> None:
        """Drop what a participant made: else its autovacuum runs, and its pages fill the caches, while the next is measured."""
        if table == relations.landing(self.contract, self.load_id):
            # The others' tables are made like it; our next load makes it anew.
            return
        with self.admin() as connection:
            kind = sql.SQL("VIEW" if relations.kind_of(connection, table) == "v" else "TABLE")
            connection.execute(sql.SQL("DROP {} {}").format(kind, table))

    def published_by(self, publish: Publish) -> Contract:
        """The contract with a way to publish."""
        return replace(self.contract, publish=publish)

    def swapped_by_key_alone(self) -> Contract:
        """Published by a swap, with no index but the key's."""
        columns = tuple(replace(column, indexed=False) for column in self.contract.columns)
        return replace(self.contract, publish=Publish.SWAP, columns=columns)

    def reset_target(self, publish: Publish) -> None:
        """Make what readers see anew, empty, for a way to publish."""
        with self.admin() as connection:
            target, published = relations.target(self.contract), relations.partitioned_table(self.contract)
            if relations.kind_of(connection, target) == "v":
                connection.execute(sql.SQL("DROP VIEW {}").format(target))
                connection.execute("DELETE FROM batchstream.shown WHERE dataset = %s", [self.contract.name])
                connection.execute(sql.SQL("DROP TABLE {}").format(published))
            else:
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(target))
        with self.pipeline.connect(names.OWNER) as owner:
            tables.make_tables(owner, self.published_by(publish))

    @contextmanager
    def deriving(self) -> Iterator[Contract]:
        """The load goes by a contract with two further columns, which Spark computes."""
        text = self.pipeline.ledger(self.load_id)["contract_text"]
        document = yaml.safe_load(text)
        number = self._number()
        document["schema"][0]["properties"] += [
            {"name": "derived_number", "physicalType": "double precision", "transformLogic": f"cast({number} as double) / 3"},
            {"name": "derived_text", "physicalType": "text", "transformLogic": f"upper(concat('r', cast({number} as string)))"},
        ]
        derived = yaml.safe_dump(document, sort_keys=False)
        pin = "UPDATE batchstream.loads SET contract_text = %s WHERE load_id = %s"
        with self.admin() as connection:
            connection.execute(pin, [derived, self.load_id])
            try:
                yield parse_contract(derived, self.contract.path, self.contract.name)
            finally:
                connection.execute(pin, [text, self.load_id])

    def _number(self) -> str:
        """A column of numbers, none of which is NULL."""
        return next(column.name for column in self.contract.columns if column.type.python in (int, float) and not column.nullable)

    def change_target(self) -> None:
        """Give each row that readers see another value in one column."""
        target = relations.target(self.contract)
        with self.admin() as connection:
            connection.execute(sql.SQL("UPDATE {0} SET {1} = {1} + 1").format(target, sql.Identifier(self._number())))
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(target))
            connection.execute("CHECKPOINT")

    def first_load(self) -> sql.Identifier:
        """The rows of a published first load as the landing had them; it became the table, and the others get one like it."""
        rows, columns = self.table("first_load"), [sql.Identifier(column.name) for column in self.contract.columns]
        view = sql.SQL("CREATE VIEW {} AS SELECT {} AS record_id, {} FROM {}").format(
            rows,
            sql.SQL(", ").join(map(sql.Identifier, self.contract.key_columns)),
            sql.SQL(", ").join(columns),
            relations.target(self.contract),
        )
        with self.admin() as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS bench")
            connection.execute(view)
        with self.pipeline.connect(names.OWNER) as owner:
            landing_table.create(owner, self.contract, self.load_id)
        return rows

    def encoded_rows(self) -> bytes:
        """What has landed, as COPY BINARY takes it."""
        if not self.rows_file.exists():
            source = relations.landing(self.contract, self.load_id)
            export = sql.SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(source)
            with self.admin() as connection, self.rows_file.open("wb") as file, connection.cursor().copy(export) as copy:
                file.writelines(copy)
        return self.rows_file.read_bytes()

    def reset_load(self, publishing: Contract | None = None) -> None:
        """Take our load back to where its messages are produced, nothing is consumed, and its landing fits its publish."""
        landing = relations.landing(self.contract, self.load_id)
        with self.admin() as connection:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(landing))
            for table in ("batches", "quarantine"):
                connection.execute(
                    sql.SQL("DELETE FROM {} WHERE load_id = %s").format(sql.Identifier("batchstream", table)), [self.load_id]
                )
            connection.execute(
                "UPDATE batchstream.loads SET state = 'produced', closed_at = NULL, reason = NULL WHERE load_id = %s",
                [self.load_id],
            )
        with self.pipeline.connect(names.OWNER) as owner:
            landing_table.create(owner, publishing or self.contract, self.load_id)
        with self.admin() as connection:
            connection.execute("VACUUM batchstream.batches")
            connection.execute("CHECKPOINT")
        shutil.rmtree(Path(self.pipeline.job(self.load_id).checkpoints) / self.contract.name, ignore_errors=True)

    def measure_producer(self) -> tuple[float, int]:
        """Seconds from the source file to the last acknowledgement, and the peak of the producer's memory in bytes."""
        admin = AdminClient(client_settings(self.pipeline.kafka))
        topic = f"{self.contract.topic.name}-producer-{time.monotonic_ns()}"
        admin.create_topics([NewTopic(topic, self.contract.topic.partitions, 1)])[topic].result()
        environment = {**self.installation.environment(), KAFKA_VARIABLE: json.dumps(self.pipeline.kafka)}
        try:
            command = [sys.executable, "-m", "benchmarks.apps.produce", str(self.contract.path), topic]
            output = run(command, {**environment, "PYTHONPATH": str(ROOT)})
        finally:
            admin.delete_topics([topic])[topic].result()
        seconds, peak_bytes = output.splitlines()[-1].split()
        return float(seconds), int(peak_bytes)

    def fingerprint(self, table: sql.Identifier, *, with_record_id: bool) -> tuple[int, int]:
        """Number of rows, and a checksum that doesn't depend on their order."""
        names = [*(["record_id"] if with_record_id else []), *(column.name for column in self.contract.columns)]
        query = sql.SQL("SELECT count(*), coalesce(sum(hash_record_extended(ROW({}), 0)::numeric), 0) FROM {}").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), table
        )
        with self.admin() as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])


def run(command: list[str], environment: dict[str, str]) -> str:
    """Run a participant's process to its end; returns its output.

    Raises:
        RuntimeError: It failed; the message holds the end of its output.
    """
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:])
    return done.stdout
