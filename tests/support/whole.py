"""A dataset of a contract file and a source file; its loads go the whole way but for Kafka and Spark."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from batchstream.airflow.places import opened_place
from batchstream.contract import Contract, load_contracts
from batchstream.errors import LoadError
from batchstream.kafka.delivery import Acknowledged
from batchstream.load import close, open, publish, replay, send, verify
from batchstream.load.engines import Engines
from batchstream.load.pinned import pinned_contract
from batchstream.load.spool import copied
from batchstream.local.installation import Installation
from batchstream.postgres import ledger, relations
from batchstream.postgres.connection import connect
from batchstream.postgres.landing import Lander
from batchstream.postgres.opening import Run
from batchstream.postgres.publish.steps import Published
from batchstream.records.messages import Computed, Message, Signer
from tests.support.written import as_yaml


class WholeDataset:
    """Writes a contract and its source, and reloads it.

    Args:
        installation: The services.
        folder: A new one.
        table: The last entry of the contract's schema.
        beside: Other entries.
        settings: Its customProperties, by name.

    Attributes:
        parameters: What the next runs are asked for.
    """

    def __init__(
        self, installation: Installation, folder: Path, table: dict[str, Any], *beside: dict[str, Any], **settings: Any
    ) -> None:
        self._connect(installation)
        self.path = folder / "dags" / "contracts" / "x.odcs.yaml"
        self.path.parent.mkdir(parents=True)
        self.source = folder / "x.csv"
        is_query = "sourceTable" in settings or "sourceQuery" in settings
        self.settings = settings if is_query else {"sourcePath": "x.csv", "sourceQuote": '"', **settings}
        self._beside = beside
        self.write(table)

    @classmethod
    def of(cls, installation: Installation, path: Path) -> "WholeDataset":
        """A contract that is written already, beside its source."""
        made = cls.__new__(cls)
        made.path = path
        made._connect(installation)
        return made

    def _connect(self, installation: Installation) -> None:
        self.engines = Engines({}, installation.engines().loader, installation.engines().owner, opened_place)
        self._runs = 0
        self.parameters: dict[str, Any] = {}

    def write(self, table: dict[str, Any]) -> None:
        """Write the contract."""
        self.table = table
        document = {
            "kind": "DataContract",
            "apiVersion": "v3.1.0",
            "id": "x",
            "status": "active",
            "version": "1.0.0",
            "schema": [*self._beside, table],
            "customProperties": [{"property": name, "value": value} for name, value in self.settings.items()],
        }
        self.path.write_text(as_yaml(document), encoding="utf-8")

    @property
    def contract(self) -> Contract:
        return load_contracts(self.path)[-1]

    def write_source(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write the source under its header; None is an empty field."""
        written = io.StringIO()
        writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([[column.source_name for column in self.contract.columns], *rows])
        self.source.write_text(written.getvalue(), encoding="utf-8", newline="")

    def land(self, rows: Sequence[Sequence[Any]]) -> int:
        """A load of these rows that has landed."""
        self.write_source(rows)
        return self._land()

    def _land(self) -> int:
        self._runs += 1
        contract = self.contract
        run = Run(f"run-{self._runs}", parameters=self.parameters)
        load_id = open.open_load(self.engines.owner, contract, run, wait_seconds=60, places=opened_place)
        with connect(self.engines.loader, application_name="batchstream test") as connection:
            # As each step of a load does.
            contract = pinned_contract(connection, load_id)
            batches: list[tuple[bytes, bytes]] = []

            def keep(sent: Iterable[tuple[bytes, bytes]]) -> Acknowledged:
                batches.extend(sent)
                acknowledged = Acknowledged()
                acknowledged.batches = len(batches)
                return acknowledged

            with copied(contract, self.engines.places) as readable:
                send.send_batches(connection, readable, load_id, keep)
            messages = [Message(contract.topic.name, 0, number, *batch) for number, batch in enumerate(batches)]
            row = ledger.read(connection, load_id)
            signer = Signer(load_id, row["attempt"], ledger.secret(connection, load_id))
            # As Spark may bring them: twice.
            lander = Lander(contract, signer)
            landed = lander.land(connection, messages)
            assert lander.land(connection, messages).duplicates == len(messages)
            ledger.transition(
                connection,
                load_id,
                ledger.State.LANDED,
                consumed_batches=len(messages),
                consumed_records=landed.records,
                landed_records=landed.landed,
                quarantined_records=landed.rejected + row["source_rejected_records"],
            )
        return load_id

    def load(self, rows: Sequence[Sequence[Any]]) -> Published:
        """Reload these rows.

        Raises:
            LoadError: A check is red, or the publish was refused.
        """
        return self._publish(self.land(rows))

    def load_file(self, content: bytes) -> Published:
        """Write the source, and reload it as `load`."""
        self.source.write_bytes(content)
        return self.load_as_it_is()

    def load_as_it_is(self) -> Published:
        """Reload what the source holds, wherever it lies."""
        return self._publish(self._land())

    def _publish(self, load_id: int) -> Published:
        try:
            passed, message = verify.verify_load(self.engines, load_id)
            if passed:
                published = publish.publish_load(self.engines, load_id)
                close.close_load(self.engines, load_id)
                return published
        except LoadError as error:
            message = str(error)
        self.fail(load_id, message)
        raise LoadError(message)

    def fail(self, load_id: int, reason: str) -> None:
        """Close a load as one that failed."""
        with connect(self.engines.owner, application_name="batchstream test") as connection:
            ledger.close(connection, load_id, reason=reason)

    def replay(self, load_id: int | None = None) -> str:
        """Replay a load, or the newest one."""
        if load_id is not None:
            return replay.replay_load(self.engines, load_id, _no_spark)
        with connect(self.engines.owner, application_name="batchstream test") as connection:
            row = connection.execute(
                "SELECT max(load_id) FROM batchstream.loads WHERE dataset = %s", [self.contract.name]
            ).fetchone()
        return replay.replay_load(self.engines, row[0] if row else 0, _no_spark)

    def rows(self, connection: psycopg.Connection) -> list[tuple[Any, ...]]:
        """What readers see of the contract's columns, in the order of the key."""
        contract = self.contract
        return connection.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
                *(
                    sql.SQL(", ").join(map(sql.Identifier, [column.name for column in contract.columns])),
                    relations.target(contract),
                    sql.SQL(", ").join(map(sql.Identifier, contract.key_columns)),
                )
            )
        ).fetchall()


def _no_spark(_: Contract, __: Sequence[bytes]) -> list[Computed]:
    raise AssertionError("these contracts have nothing for Spark to compute")
