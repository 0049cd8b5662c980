"""The use cases of a load without Airflow, over a data set that a test may change and break."""

import hashlib
import json
import random
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import yaml
from confluent_kafka import Producer
from psycopg import sql

from batchstream.airflow.places import opened_place
from batchstream.contract import Contract, load_contract
from batchstream.kafka.delivery import deliver
from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.load import close, open, publish, replay, send, topic, verify
from batchstream.load.engines import Engines
from batchstream.local import ports
from batchstream.local.environment import ledger_name
from batchstream.local.installation import Installation
from batchstream.paths import SPARK_APPLICATION
from batchstream.postgres import ledger, names, relations
from batchstream.postgres.connection import POSTGRES_VARIABLE, PostgresSettings, connect
from batchstream.postgres.landing import Landed
from batchstream.postgres.opening import Run
from batchstream.postgres.publish.steps import Published
from batchstream.records.messages import Computed, MessageKey, Signer, decode_key, load_messages
from batchstream.records.source_reader import SourceReader
from batchstream.spark.checkpoints import checkpoint_folder
from batchstream.spark.failures import OneByOne
from batchstream.spark.job import Job
from batchstream.spark.load import consume_load
from batchstream.spark.transforming import prepared
from tests.support.spark import SharedSpark

LARGE = 200
"""So many times housing makes 1,012 messages: they land on the executors."""


class Pipeline:
    def __init__(self, installation: Installation, spark: SharedSpark, contract_path: Path) -> None:
        self.installation = installation
        self.spark = spark
        self.contract_path = contract_path
        self.runs = 0

    @property
    def contract(self) -> Contract:
        return load_contract(self.contract_path)

    @property
    def name(self) -> str:
        return self.contract.name

    @property
    def engines(self) -> Engines:
        return replace(self.installation.engines(), places=opened_place)

    @property
    def kafka(self) -> dict[str, Any]:
        return dict(self.engines.kafka)

    def edit_contract(self, edit: Callable[[dict[str, Any]], None]) -> None:
        document = yaml.safe_load(self.contract_path.read_text())
        edit(document)
        self.contract_path.write_text(yaml.safe_dump(document, sort_keys=False))

    def expect_any_source(self) -> None:
        """Take the rules over the whole table out of the contract; those of each record stay."""

        def edit(document: dict[str, Any]) -> None:
            table = document["schema"][0]
            table.pop("quality", None)
            for column in table["properties"]:
                column["quality"] = [rule for rule in column.get("quality", []) if rule["type"] != "sql"]

        self.edit_contract(edit)

    def compute_a_column(self) -> None:
        """Have Spark compute a column, of the source's column, which is not stored."""

        def edit(document: dict[str, Any]) -> None:
            properties = document["schema"][0]["properties"]
            place = next(number for number, one in enumerate(properties) if one["name"] in ("ptratio", "quantity"))
            derived = properties[place]
            read = {name: value for name, value in derived.items() if name not in ("quality", "unique")}
            read["physicalName"] = f"{derived['name']}_read"
            read["customProperties"] = [{"property": "stored", "value": False}]
            derived["transformLogic"] = read["physicalName"]
            properties.insert(place, read)

        self.edit_contract(edit)

    def allow_rejected(self, records: int) -> None:
        def edit(document: dict[str, Any]) -> None:
            settings = document["customProperties"]
            next(entry for entry in settings if entry["property"] == "rejectedRecordsAllowed")["value"] = records

        self.edit_contract(edit)

    def publish_by_swap(self) -> None:
        self.edit_contract(lambda document: document["customProperties"].append({"property": "publish", "value": "swap"}))

    def publish_by_merge(self) -> None:
        self.edit_contract(lambda document: document["customProperties"].pop())

    def change_source(self, seed: int = 1, records: int = 10, column: int = 0) -> None:
        """Give some records of housing another value, which breaks no rule, in one column."""
        path = self.contract.source.file
        lines = path.read_text().splitlines()
        chosen = random.Random(seed)
        for number in chosen.sample(range(1, len(lines)), records):
            values = lines[number].split()
            values[column] = f"{chosen.randrange(1, 500) / 10 + 0.01:.2f}"
            lines[number] = " " + " ".join(values)
        path.write_text("\n".join(lines) + "\n")

    def repeat_a_key(self, admin: psycopg.Connection, load_id: int) -> None:
        """Give one record of a landing the key of another."""
        landing, key = relations.landing(self.contract, load_id), sql.Identifier(self.contract.key_columns[0])
        admin.execute(sql.SQL("UPDATE {0} SET {1} = (SELECT min({1}) FROM {0}) WHERE record_id = 9").format(landing, key))

    def shows_source(self) -> bool:
        """Whether readers see exactly the records of the source."""
        return self.checksum() == self.expected_checksum()

    def repeat_source(self, times: int) -> None:
        """Make the source that many times as long, and the contract expect it; the mean of the last column stays."""
        header, *lines = self.contract.source.file.read_text().splitlines(keepends=True)
        self.contract.source.file.write_text(header + "".join(lines) * times)
        text = self.contract_path.read_text()
        self.contract_path.write_text(text.replace(f"mustBe: {len(lines)}\n", f"mustBe: {len(lines) * times}\n"))

    def settings(self, role: str) -> PostgresSettings:
        return PostgresSettings(
            connection_id=f"test_{role}",
            host=ports.LOOPBACK,
            port=self.installation.ports["postgres"],
            user=role,
            password=self.installation.secrets[role],
            dbname=names.DATABASE,
        )

    def connect(self, role: str = names.LOADER) -> psycopg.Connection:
        return connect(self.settings(role), application_name="batchstream tests")

    def open(self, run_id: str | None = None, *, wait_seconds: float = 0) -> int:
        self.runs += 1
        run = Run(run_id or f"run-{self.runs}", ledger_name(self.installation.state), self.contract.dag_id)
        return open.open_load(self.engines.owner, self.contract, run, wait_seconds=wait_seconds, places=opened_place)

    def create_topic(self, load_id: int) -> None:
        topic.create_topic(self.engines, load_id)

    def messages(self, load_id: int, attempt: int = 0) -> tuple[list[tuple[bytes, bytes]], SourceReader]:
        reader = SourceReader(self.contract.incoming)
        return list(load_messages(self.signer(load_id, attempt), reader)), reader

    def signer(self, load_id: int, attempt: int = 0) -> Signer:
        """Signs messages of a load that a test sends itself, without a try of produce_batches."""
        with self.connect() as connection:
            return Signer(load_id, attempt, ledger.secret(connection, load_id))

    def sign_again(self, load_id: int, messages: Iterable[tuple[bytes | None, bytes | None]]) -> list[tuple[bytes, bytes | None]]:
        """The same keys, for values that a test has changed: as if the producer itself had made a mistake."""
        signer = self.signer(load_id)
        keys = [(decode_key(key), value) for key, value in messages]
        return [(signer.key(k.batch, k.first_record_id, value or b""), value) for k, value in keys if isinstance(k, MessageKey)]

    def send(self, messages: Iterable[tuple[bytes | None, bytes | None]]) -> dict[str, list[int]]:
        """Send messages as they are; returns first and last offset by partition."""
        producer = Producer({**self.kafka, "message.max.bytes": 10_000_000})
        return deliver(producer, self.contract.topic.name, messages).offsets

    def produce(self, load_id: int, messages: Iterable[tuple[bytes | None, bytes | None]] | None = None) -> None:
        """Send a load's batches; or other messages in their place, and tell the ledger what the source has."""
        if messages is None:
            send.send_load(self.engines, lambda: Producer(self.kafka), load_id)
            return
        spans = self.send(messages)
        reader = SourceReader(self.contract.incoming)
        # Others took their place: the source is read all the same.
        deque(reader, maxlen=0)
        with self.connect() as connection:
            ledger.transition(
                connection,
                load_id,
                ledger.State.PRODUCED,
                source_sha256=reader.sha256,
                source_records=reader.records,
                produced_batches=reader.batches,
                produced_records=reader.records,
                acknowledged_offsets=spans,
            )

    def job(self, load_id: int) -> Job:
        return Job(
            load_id=load_id,
            checkpoints=str(self.installation.state / "checkpoints"),
            kafka=self.kafka,
            settings=self.settings(names.LOADER),
        )

    def checkpoint(self, load_id: int) -> str:
        """Folder of a load's checkpoint."""
        return checkpoint_folder(self.job(load_id).checkpoints, self.name, load_id, self.ledger(load_id)["opened_at"])

    def consume(self, load_id: int) -> Landed:
        return consume_load(self.job(load_id), self.spark.start)

    def submit(
        self, load_id: int, *, master: str = "local[2]", variables: Mapping[str, str] | None = None, **conf: str
    ) -> subprocess.Popen[str]:
        """Start the consumer in a JVM of its own, as SparkSubmitOperator does."""
        job = self.job(load_id)
        settings = self.installation.spark_settings()
        command = ["spark-submit", "--master", master, "--driver-class-path", settings["driver_class_path"]]
        if self.contract.transform is not None:
            # Executors read the topic by Spark's own connector.
            conf = {"spark.executor.extraClassPath": settings["driver_class_path"], **conf}
        for name, value in {**settings["conf"], **conf}.items():
            command += ["--conf", f"{name}={value}"]
        command += [str(SPARK_APPLICATION), "--load-id", str(load_id)]
        environment = {**self.installation.environment(), **(variables or {})}
        environment[POSTGRES_VARIABLE] = msgspec.json.encode(job.settings).decode()
        environment[KAFKA_VARIABLE] = json.dumps(job.kafka)
        return subprocess.Popen(
            [*command, "--checkpoints", job.checkpoints],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def verify(self, load_id: int) -> tuple[bool, str]:
        """The first red check, or the last green one."""
        return verify.verify_load(self.engines, load_id)

    def publish(self, load_id: int) -> Published:
        published = publish.publish_load(self.engines, load_id)
        with self.connect() as connection:
            check = verify.check_sql(self.engines.loader, load_id, verify.CheckName.PUBLISHED)
            row = connection.execute(check.encode()).fetchone()
            assert row is not None
            assert row[0], row[1]
        close.close_load(self.engines, load_id)
        return published

    def finish(self, load_id: int) -> Published:
        """Verify and publish a load that has landed, and look at what readers see."""
        passed, message = self.verify(load_id)
        assert passed, message
        published = self.publish(load_id)
        assert self.shows_source()
        return published

    def produced(self) -> int:
        """A new load whose batches are in the topic."""
        load_id = self.open()
        self.create_topic(load_id)
        self.produce(load_id)
        return load_id

    def replay(self, load_id: int) -> str:
        """Land the rejected records of a failed load after all."""
        return replay.replay_load(self.engines, load_id, self.compute)

    def compute(self, contract: Contract, elements: Sequence[bytes]) -> list[Computed]:
        """What Spark makes of records, in the session that tests share."""
        session = self.spark.start()
        with OneByOne(session, contract, prepared(session, contract, is_large=False)) as one_by_one:
            return one_by_one.records(elements)

    def land(self) -> int:
        """All steps up to a landing that is ready for the checks."""
        load_id = self.produced()
        self.consume(load_id)
        return load_id

    def reload(self) -> Published:
        load_id = self.land()
        passed, message = self.verify(load_id)
        assert passed, message
        return self.publish(load_id)

    def fail(self, load_id: int, reason: str) -> None:
        """What close_load does after a red task."""
        with self.connect() as connection:
            ledger.close(connection, load_id, reason=reason)

    def ledger(self, load_id: int) -> dict[str, Any]:
        with self.connect() as connection:
            return ledger.read(connection, load_id)

    def quarantine(self, load_id: int) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(
                'SELECT partition, "offset", position, record_id, raw, reason FROM batchstream.quarantine '
                'WHERE load_id = %s ORDER BY partition, "offset", position',
                [load_id],
            ).fetchall()

    def checksum(self) -> str | None:
        """Of the ordered rows that readers see; None if there is no table."""
        contract = self.contract
        columns = [*contract.key_columns, *(c.name for c in contract.columns if c.name not in contract.keys)]
        query = sql.SQL("SELECT {} FROM {} ORDER BY 1").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), relations.target(contract)
        )
        with self.connect(names.READER) as connection:
            try:
                rows = connection.execute(query).fetchall()
            except psycopg.errors.UndefinedTable:
                return None
        return digest(rows) if rows else None

    def expected_checksum(self) -> str:
        """Of the rows of a housing source as Python reads them, with their record ids."""
        rows = []
        contract = self.contract
        for number, line in enumerate(contract.source.file.read_text().splitlines()[1:], 1):
            values = zip(contract.columns, line.split(), strict=True)
            rows.append((number, *(column.type.python(value) for column, value in values)))
        return digest(rows)


def digest(rows: Iterable[tuple[Any, ...]]) -> str:
    return hashlib.sha256("\n".join(repr(row) for row in rows).encode()).hexdigest()
