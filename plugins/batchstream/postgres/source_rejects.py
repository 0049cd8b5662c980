"""Puts bad records of a source into the quarantine, some at a time."""

from types import TracebackType

import psycopg

from batchstream.records.rejects import BadRecord

RECORDS_AT_ONCE = 500


class SourceRejects:
    """Collects bad records and writes them; the last ones when its ``with`` block ends, however it ends.

    Args:
        connection: Of the loading role, outside of a transaction.
        load_id: The load.
        attempt: The try of produce_batches; of an earlier one the records stay, and don't count.
    """

    def __init__(self, connection: psycopg.Connection, load_id: int, attempt: int) -> None:
        self._connection = connection
        self._try = (load_id, attempt)
        self._waiting: list[BadRecord] = []

    def add(self, bad: BadRecord) -> None:
        """Take a bad record."""
        self._waiting.append(bad)
        if len(self._waiting) >= RECORDS_AT_ONCE:
            self._write()

    def __enter__(self) -> "SourceRejects":
        """Nothing is to be done."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Write what waits, unless it is PostgreSQL that has failed."""
        if not isinstance(error, psycopg.Error):
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO batchstream.quarantine (load_id, attempt, source_path, record_id, line, column_name, reason, raw) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [(*self._try, str(bad.path), bad.record_id, bad.line, bad.column, bad.reason, bad.raw) for bad in waiting],
            )
