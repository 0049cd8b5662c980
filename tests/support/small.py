"""A dataset of a few rows, made by a test; its loads land without Kafka and Spark."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from batchstream.contract.model import Column, Contract, Publish
from batchstream.contract.types import parse_type
from batchstream.load import verify
from batchstream.local import ports
from batchstream.local.installation import Installation
from batchstream.postgres import checks, housekeeping, ledger, names, opening, relations, tables
from batchstream.postgres.check_session import check_session
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.publish.steps import Published, publish


class SmallDataset:
    """Opens, lands and publishes loads of a table.

    Args:
        installation: The services.
        model: A contract whose source and topic are borrowed; nothing reads them.
        columns: Name and type of each; `` NULL`` after the type makes it nullable.
        key: The key column, or several; None for the record id.
        publish: How.
        indexed: Columns with an index.
        port: Of what stands before the server; None for the server itself.
    """

    def __init__(
        self,
        installation: Installation,
        model: Contract,
        columns: dict[str, str],
        *,
        key: str | Sequence[str] | None,
        publish: Publish = Publish.MERGE,
        indexed: Sequence[str] = (),
        name: str | None = None,
        dbname: str = names.DATABASE,
        port: int | None = None,
    ) -> None:
        self.installation = installation
        self.contract = replace(
            model,
            name=name or f"small_{os.urandom(4).hex()}",
            columns=tuple(
                Column(
                    column, parse_type(text.removesuffix(" NULL")), text.endswith(" NULL"), column in indexed, source_name=column
                )
                for column, text in columns.items()
            ),
            keys=(key,) if isinstance(key, str) else tuple(key or ()),
            publish=publish,
            checks=(),
            expected_records=None,
        )
        self.runs = 0
        self.dbname = dbname
        self.port = port or installation.ports["postgres"]
        self.owner = self.settings(names.OWNER)

    def settings(self, role: str) -> PostgresSettings:
        return PostgresSettings(
            connection_id=f"test_{role}",
            host=ports.LOOPBACK,
            port=self.port,
            user=role,
            password=self.installation.secrets[role],
            dbname=self.dbname,
        )

    @property
    def table(self) -> str:
        return self.contract.name

    def connect(self, role: str = names.OWNER) -> psycopg.Connection:
        return connect(self.settings(role), application_name=f"batchstream {self.table}")

    def open(self) -> int:
        self.runs += 1
        with self.connect() as connection:
            tables.make_tables(connection, self.contract)
            opened = opening.try_open(connection, self.contract, opening.Run(f"run-{self.runs}"), "", {})
            assert isinstance(opened, int)
            housekeeping.clean_up(connection, self.contract)
            return opened

    def land(self, rows: Iterable[Sequence[Any]]) -> int:
        """A load whose rows have landed and are verified."""
        load_id = self.open()
        self.insert(load_id, rows)
        return load_id

    def insert(self, load_id: int, rows: Iterable[Sequence[Any]]) -> None:
        names = [sql.Identifier(column.name) for column in self.contract.columns]
        names.insert(0, sql.Identifier(self.contract.own.record_id))
        copy = sql.SQL("COPY {} ({}) FROM STDIN").format(relations.landing(self.contract, load_id), sql.SQL(", ").join(names))
        with self.connect() as connection:
            with connection.cursor() as cursor, cursor.copy(copy) as into:
                landed = 0
                for landed, row in enumerate(rows, 1):
                    into.write_row((landed, *row))
            connection.execute(
                "UPDATE batchstream.loads SET state = 'landed', landed_at = now(), landed_records = %s WHERE load_id = %s",
                [landed, load_id],
            )
        for check in verify.BEFORE_PUBLISH:
            verify.note_verdict(self.owner, load_id, check, passed=True, message="green")

    def publish(self, load_id: int, *, allow_deletes: bool = False) -> Published:
        with self.connect() as connection:
            published = publish(connection, self.contract, load_id, allow_deletes=allow_deletes)
        with check_session(self.owner, measures_rules=False) as connection:
            row = connection.execute(checks.published(self.contract, load_id)).fetchone()
            assert row is not None
            assert row[0], row[1]
        with self.connect() as connection:
            ledger.close(connection, load_id, reason=None)
        return published

    def load(self, rows: Iterable[Sequence[Any]], *, allow_deletes: bool = False) -> Published:
        load_id = self.land(rows)
        try:
            return self.publish(load_id, allow_deletes=allow_deletes)
        except Exception as error:
            self.fail(load_id, str(error))
            raise

    def fail(self, load_id: int, reason: str = "the test has ended") -> None:
        with self.connect() as connection:
            ledger.close(connection, load_id, reason=reason)

    def rows(self, role: str = names.READER) -> list[tuple[Any, ...]]:
        """What readers see, without the columns that each load writes itself."""
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in self.contract.columns)
        with self.connect(role) as connection:
            return connection.execute(
                sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
                    names, relations.target(self.contract), sql.SQL(", ").join(map(sql.Identifier, self.contract.key_columns))
                )
            ).fetchall()
