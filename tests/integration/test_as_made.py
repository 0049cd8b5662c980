"""The table that `batchstream contract check` shows is the one that a first load makes."""

import psycopg
from psycopg import sql

from batchstream.postgres import as_made, relations
from tests.support.pipeline import Pipeline

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
KEY = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'"


def test_the_table_is_made_as_it_is_shown(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.reload()
    target = relations.target(pipeline.contract)
    name = target.as_string(admin)
    made = [admin.execute(statement, [name]).fetchall() for statement in (COLUMNS, KEY)]
    with admin.transaction(force_rollback=True):
        admin.execute(sql.SQL("DROP TABLE {} CASCADE").format(target))
        admin.execute(as_made.statements(pipeline.contract).encode())
        assert [admin.execute(statement, [name]).fetchall() for statement in (COLUMNS, KEY)] == made
