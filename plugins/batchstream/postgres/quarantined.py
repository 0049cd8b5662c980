"""The rejected records of a load, as a replay finds them in the quarantine."""

from typing import NamedTuple

import psycopg


class Quarantined(NamedTuple):
    """A rejected record that no replay has landed yet.

    Attributes:
        quarantine_id: Its row.
        place: Where it stood: line of the source, or partition, offset and position.
        record_id: Its number in the source; None if the whole message was rejected.
        is_message: Whether the consumer rejected it, and not the producer.
        path: The file of the source, if the producer rejected it.
        line: Of that file.
        raw: Its text.
    """

    quarantine_id: int
    place: str
    record_id: int | None
    is_message: bool
    path: str
    line: int
    raw: str


def read(connection: psycopg.Connection, load_id: int) -> list[Quarantined]:
    """The rejected records of a load, in order: of its messages, and of the try of its source that counts."""
    rows = connection.execute(
        "SELECT quarantine_id, coalesce(source_path || ': line ' || line, format('partition %%s offset %%s position %%s', "
        'partition, "offset", position)), record_id, source_path IS NULL, source_path, line, raw '
        "FROM batchstream.quarantine AS q WHERE q.load_id = %s AND replayed_at IS NULL AND (source_path IS NULL OR q.attempt = "
        "(SELECT l.attempt FROM batchstream.loads AS l WHERE l.load_id = q.load_id)) "
        'ORDER BY partition, "offset", position, line',
        [load_id],
    ).fetchall()
    return [Quarantined(*row) for row in rows]


def note_replayed(connection: psycopg.Connection, quarantine_ids: list[int], *, filtered: bool = False) -> None:
    """Note that records have landed after all, or that the contract's filter leaves them out."""
    connection.execute(
        "UPDATE batchstream.quarantine SET replayed_at = clock_timestamp(), filtered = %s WHERE quarantine_id = ANY(%s)",
        [filtered, quarantine_ids],
    )
