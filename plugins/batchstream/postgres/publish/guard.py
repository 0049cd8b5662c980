"""Stops a publish that would take most of a table away from its readers: a source that was cut off looks like that."""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import LoadError
from batchstream.postgres import key_columns, relations

SMALL_TABLE_ROWS = 100
"""A table with no more rows than these may lose any number of them."""

MAX_DELETED_SHARE = 0.5

SAMPLE_ROWS = 20_000
"""So many rows of a load that is shown are looked up first: comparing all of ten million takes as long as building an index."""

SUSPICIOUS_SHARE = 0.4
"""If more of the sample is gone, all rows are compared. Pages are drawn, so a sample is off by a few percent."""


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
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(relations.target(contract))).fetchone()
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
        "SELECT load_id, l.published_rows FROM batchstream.shown AS s JOIN batchstream.loads AS l USING (load_id) "
        "WHERE s.dataset = %s ORDER BY load_id DESC LIMIT 1",
        [contract.name],
    ).fetchone()
    if shown is None:
        return
    shown_load, shown_rows = shown
    percent = min(100.0, 100 * SAMPLE_ROWS / max(shown_rows or 0, 1))
    rows, gone = _compare_keys(connection, contract, load_id, shown_load, percent)
    if percent < 100 and gone > rows * SUSPICIOUS_SHARE:
        rows, gone = _compare_keys(connection, contract, load_id, shown_load, 100)
        percent = 100
    if percent == 100:
        _require_few(contract, load_id, gone, rows)


def _compare_keys(
    connection: psycopg.Connection, contract: Contract, load_id: int, shown_load: int, percent: float
) -> tuple[int, int]:
    """Rows of the load that is shown, and how many of them have keys that the landing has not; of a share of its pages."""
    row = connection.execute(
        sql.SQL(
            "SELECT count(*), count(*) FILTER (WHERE s.{key} IS NULL) FROM {partitioned_table} AS t {sample} "
            "LEFT JOIN {landing} AS s ON {same_key} WHERE t.{load_id} = {shown_load}"
        ).format(
            partitioned_table=relations.partitioned_table(contract),
            landing=relations.landing(contract, load_id),
            key=sql.Identifier(key_columns.of_landing(contract)[0]),
            same_key=key_columns.matched_in_landings(contract),
            sample=sql.SQL("TABLESAMPLE SYSTEM ({})").format(sql.Literal(percent)) if percent < 100 else sql.SQL(""),
            load_id=sql.Identifier(contract.own.load_id),
            shown_load=sql.Literal(shown_load),
        )
    ).fetchone()
    return row or (0, 0)


def _require_few(contract: Contract, load_id: int, deleted_rows: int, rows: int) -> None:
    if rows <= SMALL_TABLE_ROWS or deleted_rows <= rows * MAX_DELETED_SHARE:
        return
    raise LoadError(
        f"load {load_id}: {deleted_rows} of the {rows} rows of '{contract.name}' would be deleted, more than half; nothing was "
        f"changed: see whether {contract.source.path} is whole. If it is, start a run with the parameter allow_changes "
        "(batchstream run NAME --allow-changes, make run ALLOW_CHANGES=1)"
    )
