"""A source in a PostgreSQL database: a table, or the result of one query that only reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import psycopg
from psycopg import sql

from batchstream.contract.elsewhere import Query
from batchstream.errors import LoadError, PlaceError, SinkError, SourceError
from batchstream.load.spool import Seen
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.failures import postgres_errors

# What COPY itself writes in its format text; a name of a column may hold any of them.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


class QueryPlace:
    """Reads a table or a query by COPY, in one statement and so of one moment.

    Args:
        settings: The connection.
        source: The table or the query.
    """

    def __init__(self, settings: PostgresSettings, source: Query) -> None:
        self._source = source
        with self._errors():
            self._connection = connect(settings, application_name="batchstream source")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def files(self) -> list[Query]:
        """The source itself."""
        return [self._source]

    def look(self, file: Query) -> Seen:
        """Only whether it can be read: the server says neither a size nor a mark, and COPY tells whether it came to its end."""
        with self._errors(), self._read_only():
            self._names()
            # The rights, which a description leaves out.
            self._connection.execute(sql.SQL("EXPLAIN {}").format(self._query()))
        return Seen(None, "")

    def read(self, file: Query) -> Iterator[bytes]:
        """A header, and what COPY writes."""
        with self._errors(), self._read_only():
            yield "\t".join(name.translate(_ESCAPES) for name in self._names()).encode() + b"\n"
            # On a line of its own, as the query may end in a comment.
            copy = sql.SQL("COPY (\n{}\n) TO STDOUT (FORMAT text)").format(self._query())
            with self._connection.cursor() as cursor, cursor.copy(copy) as rows:
                for block in rows:
                    yield bytes(block)

    def _query(self) -> sql.Composable:
        if self._source.table:
            return sql.SQL("SELECT * FROM {}").format(sql.Identifier(*self._source.table))
        # As its author wrote it; `_names` has it looked at.
        return sql.SQL(self._source.text)

    def _names(self) -> list[str]:
        """The names of the columns, by the server's own description.

        It refuses what is more than one statement, so that nothing can reach beyond the parentheses of COPY.
        """
        prepared = self._connection.pgconn.prepare(b"", self._query().as_bytes(self._connection))
        if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(prepared)
        described = self._connection.pgconn.describe_prepared(b"")
        names = [(described.fname(number) or b"").decode() for number in range(described.nfields)]
        if not names:
            raise SourceError(f"{self._source}: gives no columns; write one SELECT")
        return names

    @contextmanager
    def _read_only(self) -> Iterator[None]:
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION READ ONLY")
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with postgres_errors(str(self._source)):
                yield
        except LoadError as error:
            raise SourceError(f"{error}; mend the query, the table's name or the rights of the connection's role") from error
        except SinkError as error:
            raise PlaceError(str(error) if str(self._source) in str(error) else f"{self._source}: {error}") from error
