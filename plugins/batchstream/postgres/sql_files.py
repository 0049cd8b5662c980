"""The files below ``sql/``. Who uses one composes its identifiers and quotes its values, and pastes nothing."""

from functools import cache

from psycopg import sql

from batchstream.paths import SQL_FOLDER


@cache
def read(name: str) -> sql.SQL:
    """A file below ``sql/``."""
    return sql.SQL((SQL_FOLDER / name).read_text(encoding="utf-8"))
