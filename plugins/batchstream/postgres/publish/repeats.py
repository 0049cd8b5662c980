"""Values that stand twice where they may not: in the landing, in the table, or for an index that somebody has made."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import SinkError
from batchstream.postgres import key_columns, relations
from batchstream.records.shown import listed

INDEX_COLUMNS = """
SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) AS number
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = number),
    i.indexprs IS NULL AND i.indpred IS NULL AND NOT i.indnullsnotdistinct
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""


def repeated_key(connection: psycopg.Connection, contract: Contract, load_id: int) -> str | None:
    """Which key stands twice in the landing; None if none does."""
    landing = relations.landing(contract, load_id)
    found = _repeated(connection, landing, key_columns.of_landing(contract), contract.own.record_id)
    if found is None:
        return None
    value, times, records = found
    return (
        f"{contract.source.path}: {_columns(contract)}: a key must be unique, {value!r} occurs {times} times, first "
        f"in record {records[0]}, last in record {records[1]}; mend the source"
    )


def _columns(contract: Contract) -> str:
    names = key_columns.of_table(contract)
    return f"column{'s' if len(names) > 1 else ''} {listed([*names])}"


def _repeated(
    connection: psycopg.Connection, table: sql.Identifier, names: Sequence[str], record_id: str | None = None
) -> tuple[str, int, tuple[int, int]] | None:
    """Values that stand twice, how often, and the first and the last record that has them, if a column numbers these."""
    value = sql.SQL(", ").join([sql.SQL("found.{}").format(sql.Identifier(name)) for name in names])
    records = sql.SQL("min(found.{0}), max(found.{0})" if record_id else "0, 0").format(sql.Identifier(record_id or ""))
    row = connection.execute(
        sql.SQL(
            "SELECT concat_ws(', ', {value}), count(*), {records} FROM {table} AS found WHERE num_nulls({value}) = 0 "
            "GROUP BY {value} HAVING count(*) > 1 ORDER BY 3, 1 LIMIT 1"
        ).format(value=value, records=records, table=table)
    ).fetchone()
    return (row[0], row[1], (row[2], row[3])) if row else None


def explain(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | SinkError | None:
    """A unique index refused a row: the key's, or one that somebody has made."""
    if why := repeated_key(connection, contract, load_id):
        return why
    index, table = error.diag.constraint_name or "", error.diag.table_name
    if table != contract.name:
        return None
    found = connection.execute(INDEX_COLUMNS, [error.diag.schema_name, index]).fetchone()
    target = relations.target(contract)
    # An index that could not be built is gone again; only the key's is built as a unique one.
    key = key_columns.of_table(contract)
    names, plain = found or (key, True)
    if set(names) == set(key):
        if (twice := _repeated(connection, target, names)) is None:
            return SinkError(
                f"load {load_id}: somebody else wrote a row with the same key into table '{contract.name}' during the publish "
                f"({error.diag.message_detail}); nothing was changed"
            )
        return (
            f"table '{contract.name}' has rows from before in which {listed([*key])} is not unique: {twice[0]!r} occurs "
            f"{twice[1]} times; delete all but one of them, or ALTER TABLE {relations.spelled(connection, target)} "
            f"{relations.set_aside(connection, contract)}: the next load makes the table anew"
        )
    whose = f"the unique index '{index}' of table '{contract.name}', which is not the contract's, refuses a row"
    landing = relations.landing(contract, load_id)
    if plain and set(names) <= {column.name for column in contract.columns}:
        if twice := _repeated(connection, landing, names, contract.own.record_id):
            return (
                f"{whose}: {', '.join(names)} {twice[0]!r} occurs {twice[1]} times, first in record {twice[2][0]}, last in "
                f"record {twice[2][1]}; mend the source, or drop the index"
            )
        quoted = ", ".join(relations.quoted(connection, name) for name in names)
        return (
            f"{whose}: values of {', '.join(names)} move from row to row, and PostgreSQL looks at an index after each row; make "
            f"it a constraint that is looked at later: ALTER TABLE {relations.spelled(connection, target)} ADD UNIQUE ({quoted}) "
            "DEFERRABLE, and drop the index"
        )
    return f"{whose}: {error.diag.message_detail or error}; mend the source, or drop the index"
