"""Copies records of which a domain of the database may refuse some: what its checks say, only the database knows."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.errors import CheckViolation, NotNullViolation

from batchstream.contract.model import Column, Contract
from batchstream.postgres.copy_rows import RowCopy
from batchstream.records.shown import shorten

REFUSALS = (CheckViolation, NotNullViolation)
"""What breaks off a COPY for one record. Landings have no checks of their own that a record could break."""

Record = tuple[Any, ...]


def has_any(contract: Contract) -> bool:
    """Whether a column of a contract has a domain as its type."""
    return any(column.type.is_domain for column in contract.columns)


def copy_good(connection: psycopg.Connection, contract: Contract, rows: RowCopy, records: Sequence[Record]) -> dict[int, str]:
    """Copy the records that the domains accept: all at once, or by halves until those that are refused stand alone.

    Args:
        connection: In a transaction of the caller's.
        contract: The records' own.
        rows: Where to.
        records: Their values in the contract's order, and last the record id.

    Returns:
        Place of each record that is refused among `records`, and the reason.
    """
    try:
        with connection.transaction():
            rows.write(connection, [records])
    except REFUSALS as error:
        if len(records) == 1:
            return {0: _reason(contract, records[0], error)}
    else:
        return {}
    half = len(records) // 2
    first = copy_good(connection, contract, rows, records[:half])
    second = copy_good(connection, contract, rows, records[half:])
    return first | {half + place: reason for place, reason in second.items()}


def _reason(contract: Contract, record: Record, error: psycopg.Error) -> str:
    """The reason as other rejected records have it; several columns may have the domain that refuses one of their values."""
    name = f"{error.diag.schema_name}.{error.diag.datatype_name}"
    found = [(column, value) for column, value in zip(contract.columns, record, strict=False) if column.type.is_domain]
    # A domain may be made of another one, which is named if that refuses.
    named = [one for one in found if one[0].type.sql.replace('"', "") == name] or found
    values = " or ".join(f"column '{column.name}': {_shown(column, value)}" for column, value in named)
    return f"{values} breaks its domain: {error.diag.message_primary}"


def _shown(column: Column, value: Any) -> str:
    if value is None:
        return "NULL"
    # Of a type that travels as PostgreSQL's bytes.
    return f"a value of type {column.type.sql}" if isinstance(value, bytes) else repr(shorten(str(value)))
