"""What the inbox costs: a batch is written once, read by its number alone, and what has landed is not copied once more."""

import psycopg
import pytest

from batchstream.postgres import names
from batchstream.postgres.landing import Landed
from tests.support.landing import BATCHES, RECORDS, Landing
from tests.support.pipeline import Pipeline
from tests.support.waiting import wait_for

MESSAGES_PER_TRANSACTION = 200
MESSAGES = 20 * MESSAGES_PER_TRANSACTION
OLDER_LOADS = 3


def settle(admin: psycopg.Connection) -> None:
    """Wait until what has landed is counted: a session that ends does so after its client has closed it."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid()"
    wait_for(lambda: admin.execute(others, [names.LOADER]).fetchone() == (0,), 10, "the end of the landing's session")
    admin.execute("SELECT pg_stat_clear_snapshot()")


def tuples_read(admin: psycopg.Connection) -> int:
    settle(admin)
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
                "INSERT INTO batchstream.batches SELECT %s, n, 0, n, 0, 0 FROM generate_series(1, %s) AS n",
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


def tuples_written(admin: psycopg.Connection, schema: str, table: str) -> tuple[int, int]:
    """Rows ever inserted and updated, those of what was rolled back, too."""
    settle(admin)
    row = admin.execute(
        "SELECT n_tup_ins, n_tup_upd FROM pg_stat_user_tables WHERE schemaname = %s AND relname = %s", [schema, table]
    ).fetchone()
    assert row is not None
    return row


def test_a_batch_is_written_once_and_a_second_delivery_copies_nothing(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    landing = Landing(pipeline, admin, pipeline.contract)
    name = f"{landing.contract.name}_{landing.load_id}"
    before = tuples_written(admin, "batchstream", "batches")
    assert landing.land_in_chunks(landing.messages).landed == RECORDS
    inserted, updated = tuples_written(admin, "batchstream", "batches")
    assert (inserted - before[0], updated - before[1]) == (BATCHES, 0)
    assert tuples_written(admin, "landing", name) == (RECORDS, 0)
    assert landing.land_in_chunks(landing.messages) == Landed(messages=BATCHES, duplicates=BATCHES)
    # A row that was copied and rolled back would count here.
    assert tuples_written(admin, "landing", name) == (RECORDS, 0)
    assert landing.is_complete()
