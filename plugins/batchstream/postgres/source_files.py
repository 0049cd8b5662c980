"""The files of a load's source, in the ledger."""

from collections.abc import Iterable

import psycopg

from batchstream.records.read_files import ReadFile


def note(connection: psycopg.Connection, load_id: int, attempt: int, files: Iterable[ReadFile]) -> None:
    """Note the files that a try of produce_batches has read."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO batchstream.source_files (load_id, attempt, path, header, sha256, records, rejected_records) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(load_id, attempt, str(one.path), one.header, one.sha256, one.records, one.rejected_records) for one in files],
        )


def headers(connection: psycopg.Connection, load_id: int) -> dict[str, str | None]:
    """The header of each file of the try that counts, by path; None if the source has none."""
    rows = connection.execute(
        "SELECT f.path, f.header FROM batchstream.source_files AS f JOIN batchstream.loads AS l USING (load_id, attempt) "
        "WHERE f.load_id = %s",
        [load_id],
    ).fetchall()
    return dict(rows)
