"""The plain case first: a reload, the same again, and one with changes."""

import psycopg
from psycopg import sql

from batchstream.postgres import templates
from tests.support.pipeline import Pipeline


def _written(admin: psycopg.Connection, pipeline: Pipeline) -> tuple[int, ...]:
    """PostgreSQL's own count of rows inserted, updated and deleted in the target."""
    admin.execute("SELECT pg_stat_force_next_flush()")
    row = admin.execute(
        "SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relid = %s::regclass",
        [templates.target(pipeline.contract).as_string(admin)],
    ).fetchone()
    assert row is not None
    return tuple(row)


def _stamps(admin: psycopg.Connection, pipeline: Pipeline) -> list[tuple[object, ...]]:
    query = sql.SQL("SELECT id, created_at, updated_at FROM {} ORDER BY id").format(templates.target(pipeline.contract))
    return admin.execute(query).fetchall()


def test_ten_reloads_of_the_same_source_write_506_rows_once(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    assert pipeline.reload() == (506, 0, 0, 506)
    assert pipeline.checksum() == pipeline.expected_checksum()
    first = _stamps(admin, pipeline)
    for _ in range(9):
        assert pipeline.reload() == (0, 0, 0, 506)
    assert pipeline.checksum() == pipeline.expected_checksum()
    assert _stamps(admin, pipeline) == first
    assert _written(admin, pipeline) == (506, 0, 0)
