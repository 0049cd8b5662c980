"""What the inbox costs: of the batches that were landed before, none is read again, whatever PostgreSQL believes of the table."""

import psycopg
import pytest

from tests.support.landing import Landing
from tests.support.pipeline import Pipeline

MESSAGES_PER_TRANSACTION = 200
MESSAGES = 20 * MESSAGES_PER_TRANSACTION
OLDER_LOADS = 3


def tuples_read(admin: psycopg.Connection) -> int:
    admin.execute("SELECT pg_stat_clear_snapshot()")
    row = admin.execute(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables "
        "WHERE schemaname = 'batchstream' AND relname = 'batches'"
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("known", ["older loads", "an empty table", "nothing"])
def test_landing_reads_no_more_of_the_inbox_than_it_lands(pipeline: Pipeline, admin: psycopg.Connection, known: str) -> None:
    """Statistics that don't know the load make its batches look like one row: a bad plan would read all for each other."""
    if known == "older loads":
        for _ in range(OLDER_LOADS):
            older = Landing(pipeline, admin, pipeline.contract)
            admin.execute(
                "INSERT INTO batchstream.batches SELECT %s, n, 0, n, 0 FROM generate_series(1, %s) AS n",
                [older.load_id, MESSAGES],
            )
            pipeline.fail(older.load_id, "older")
    else:
        admin.execute("TRUNCATE batchstream.batches")
    if known != "nothing":
        admin.execute("VACUUM ANALYZE batchstream.batches")
    landing = Landing(pipeline, admin, pipeline.contract)
    before = tuples_read(admin)
    # Landed as a task does it: chunk after chunk on one connection, which keeps its plans.
    counts = landing.land_in_chunks([landing.message(number, b"[]") for number in range(1, MESSAGES + 1)])
    assert counts.messages == MESSAGES
    read = tuples_read(admin) - before
    assert read <= 4 * MESSAGES, f"{read} rows of the inbox were read to land {MESSAGES} batches"
