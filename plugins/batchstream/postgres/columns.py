"""The columns of a dataset's tables against those of its contract: a difference is told before anything is loaded."""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract, Publish
from batchstream.errors import ContractError
from batchstream.postgres import templates


def _columns(connection: psycopg.Connection, relation: sql.Identifier) -> dict[str, tuple[str, bool]]:
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [relation.as_string(connection)],
    )
    return {name: (type_name, not_null) for name, type_name, not_null in rows}


def compare(connection: psycopg.Connection, contract: Contract) -> None:
    """See that a contract's columns are those of its tables.

    Raises:
        ContractError: One has another type, may be NULL where it may not, or is on one side only.
    """
    stored = templates.stored(contract)
    name = stored.as_string(connection).replace('"', "")
    found = _columns(connection, stored)
    for column in contract.columns:
        expected_type = connection.execute(
            "SELECT format_type(t.oid, t.typmod) FROM (SELECT to_regtype(%s)::oid AS oid, to_regtypemod(%s) AS typmod) AS t",
            [column.type.sql, column.type.sql],
        ).fetchone()
        expected = (expected_type[0] if expected_type else None, not column.nullable)
        if found.get(column.name) != expected:
            raise ContractError(
                f"{contract.path}: column '{column.name}': the contract says {_say(expected)}, table '{name}' "
                f"has {_say(found.get(column.name))}; change the contract back, or the table by ALTER TABLE"
            )
    if contract.publish is Publish.SWAP:
        _compare_view(connection, contract, name, found)


def _compare_view(connection: psycopg.Connection, contract: Contract, table: str, stored: dict[str, tuple[str, bool]]) -> None:
    """A landing becomes a partition, so the table may have no further column; the view was made for its columns of that time."""
    columns = [column.name for column in contract.columns]
    if further := sorted(stored.keys() - {*columns, "record_id", "created_at", "load_id"}):
        raise ContractError(
            f"{contract.path}: table '{table}' has column '{further[0]}', which the contract has not; change the contract back, "
            f"or ALTER TABLE {table} DROP COLUMN {further[0]} CASCADE: the view is made anew by the next run"
        )
    shown = _columns(connection, templates.target(contract))
    for column in columns:
        if shown.get(column, (None,))[0] != stored[column][0]:
            raise ContractError(
                f"{contract.path}: column '{column}': view '{contract.name}' does not show it as table '{table}' has it; "
                f"DROP VIEW {contract.name}: it is made anew by the next run"
            )


def _say(column: tuple[str | None, bool] | None) -> str:
    return "no such column" if column is None else f"{column[0]}{' NOT NULL' if column[1] else ''}"
