"""Brings the ledger's tables to the layout that this version of the code works with: numbered SQL files, each applied once."""

from pathlib import Path

import psycopg
from psycopg import sql

from batchstream.errors import LoadError
from batchstream.paths import SQL_FOLDER
from batchstream.postgres import locks, names, sql_files

MIGRATIONS_FOLDER = SQL_FOLDER / "ledger"


def migrate(connection: psycopg.Connection) -> None:
    """Apply the migrations that are missing; takes no lock and changes nothing where none is.

    Raises:
        LoadError: The ledger is of a newer version of batchstream.
    """
    files = {int(path.name.partition("_")[0]): path for path in sorted(MIGRATIONS_FOLDER.glob("[0-9]*.sql"))}
    newest = max(files)
    if _version(connection) == newest:
        return
    with connection.transaction():
        locks.tables(connection)
        version = _version(connection)
        if version > newest:
            raise LoadError(
                f"the ledger has layout {version}, this version of batchstream knows {newest} at most: a newer version has "
                "loaded into this database; upgrade this one"
            )
        if version == 0:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS batchstream.migrations "
                "(version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
            )
        for number in range(version + 1, newest + 1):
            connection.execute(_rendered(files[number]))
            connection.execute("INSERT INTO batchstream.migrations (version) VALUES (%s)", [number])


def _version(connection: psycopg.Connection) -> int:
    """Number of the last migration; 0 before the first, and for the layout that was before there were numbers."""
    if connection.execute("SELECT to_regclass('batchstream.migrations')").fetchone() == (None,):
        return 0
    row = connection.execute("SELECT max(version) FROM batchstream.migrations").fetchone()
    return (row and row[0]) or 0


def _rendered(path: Path) -> sql.Composed:
    return sql_files.read(f"{MIGRATIONS_FOLDER.name}/{path.name}").format(
        loader=sql.Identifier(names.LOADER),
        reader=sql.Identifier(names.READER),
        checker=sql.Identifier(names.CHECKER),
    )
