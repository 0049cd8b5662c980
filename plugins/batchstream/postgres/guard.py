"""Stops a publish that would take most of a table away from its readers: a source that was cut off looks like that."""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import LoadError
from batchstream.postgres import templates

SMALL_TABLE_ROWS = 100
"""A table with no more rows than these may lose any number of them."""

MAX_DELETED_SHARE = 0.5


def check_merge(
    connection: psycopg.Connection, contract: Contract, load_id: int, deleted_rows: int, *, allow_deletes: bool
) -> None:
    """Stop a merge that would delete more than half of a table of more than `SMALL_TABLE_ROWS` rows.

    Raises:
        LoadError: It would, and nobody has allowed it.
    """
    # Counting the table takes a while; few deletions are never too many.
    if allow_deletes or deleted_rows <= SMALL_TABLE_ROWS * MAX_DELETED_SHARE:
        return
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(templates.target(contract))).fetchone()
    _require_few(contract, load_id, deleted_rows, row[0] if row else 0)


def check_swap(connection: psycopg.Connection, contract: Contract, load_id: int, *, allow_deletes: bool) -> None:
    """Stop a swap by which more than half of the records of the load that is shown would be gone, by their keys.

    Args:
        connection: In a transaction that shows the load, or prepares that.
        contract: The dataset's.
        load_id: The load, whose landing has its key already.
        allow_deletes: Whether somebody has allowed it.

    Raises:
        LoadError: They would, and nobody has allowed it.
    """
    if allow_deletes:
        return
    shown = connection.execute(
        "SELECT load_id FROM batchstream.shown WHERE dataset = %s ORDER BY load_id DESC LIMIT 1", [contract.name]
    ).fetchone()
    if shown is None:
        return
    row = connection.execute(
        sql.SQL(
            "SELECT count(*), count(*) FILTER (WHERE s.{key} IS NULL) FROM {published} AS t "
            "LEFT JOIN {landing} AS s ON s.{key} = t.{key} WHERE t.load_id = {shown}"
        ).format(
            published=templates.published(contract),
            landing=templates.landing(contract, load_id),
            key=templates.landing_key(contract),
            shown=sql.Literal(shown[0]),
        )
    ).fetchone()
    rows, gone = row or (0, 0)
    _require_few(contract, load_id, gone, rows)


def _require_few(contract: Contract, load_id: int, deleted_rows: int, rows: int) -> None:
    if rows <= SMALL_TABLE_ROWS or deleted_rows <= rows * MAX_DELETED_SHARE:
        return
    raise LoadError(
        f"load {load_id}: {deleted_rows} of the {rows} rows of '{contract.name}' would be deleted, more than half; nothing was "
        f"changed: see whether {contract.source.path} is whole. If it is, start a run with the parameter allow_changes"
    )
