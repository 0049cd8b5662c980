"""Rows as COPY BINARY, the records of a message at a time."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.private import row_formatter

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
"""Of the format: see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS-BINARY."""

BYTES_PER_WRITE = 64 * 1024
"""Each write wakes PostgreSQL, and what psycopg is given beyond 128 KiB it copies once more."""

format_row = row_formatter()


class RowCopy:
    """One COPY of a contract's records into a table that has its columns and the record id."""

    def __init__(self, contract: Contract, table: sql.Identifier) -> None:
        names = [*(column.name for column in contract.columns), contract.own.record_id]
        self._statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            table, sql.SQL(", ").join(map(sql.Identifier, names))
        )
        self._types = [*(column.type.copy_type for column in contract.columns), "int8"]

    def write(self, connection: psycopg.Connection, batches: Iterable[Sequence[tuple[Any, ...]]]) -> None:
        """Copy records.

        Args:
            connection: In a transaction of the caller's.
            batches: Some records at a time: their values in the contract's order, and last the record id.
        """
        with connection.cursor() as cursor, cursor.copy(self._statement) as copy:
            copy.set_types(self._types)
            if format_row is None:
                for record in chain.from_iterable(batches):
                    copy.write_row(record)
                return
            transformer = copy.formatter.transformer
            rows = bytearray(SIGNATURE)
            for records in batches:
                for record in records:
                    format_row(record, transformer, rows)
                if len(rows) > BYTES_PER_WRITE:
                    copy.write(rows)
                    rows = bytearray()
            copy.write(rows + TRAILER)
