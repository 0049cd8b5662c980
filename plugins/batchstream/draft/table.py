"""Drafts the contract of a table of PostgreSQL, by what its catalog says; no row of it is read."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psycopg

from batchstream.contract.types import parse_type
from batchstream.draft.contract import Draft
from batchstream.draft.document import printable, property_line, scalar
from batchstream.errors import SourceError

MAX_LISTED_TABLES = 20

_TABLE = """
SELECT c.oid, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname), obj_description(c.oid, 'pg_class')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_TABLES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1 LIMIT %s
"""
# Of an enum type or a domain the schema is named, as it may have the name of another type.
_COLUMNS = """
SELECT a.attname, t.typtype::text, a.attnotnull, col_description(a.attrelid, a.attnum),
    CASE WHEN t.typtype IN ('d', 'e') THEN quote_ident(n.nspname) || '.' || quote_ident(t.typname)
        ELSE format_type(a.atttypid, a.atttypmod) END,
    (SELECT array_position(i.indkey::int2[], a.attnum) + 1 FROM pg_index AS i
        WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey::int2[])),
    EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisunique AND NOT i.indisprimary
        AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indkey[0] = a.attnum)
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_PLAIN = re.compile(r"[a-z][a-z0-9_ .,()\[\]]*")
_OWN = {"d": "a domain", "e": "an enum type"}


class TableColumn(NamedTuple):
    """A column as the catalog has it.

    Attributes:
        kind: Of its type: ``d`` for a domain, ``e`` for an enum type.
        key_position: Its place in the primary key, from 1.
    """

    name: str
    kind: str
    not_null: bool
    comment: str | None
    type_name: str
    key_position: int | None
    is_unique: bool


def draft_table(connection: psycopg.Connection, name: str | None, connection_id: str | None) -> Draft:
    """Draft the contract of a table.

    Args:
        connection: To its database.
        name: As in SQL, with its schema where that is not ``public``.
        connection_id: Airflow's connection to that database; the contract has no other trace of how to log in.

    Raises:
        SourceError: There is no such table, or none is named.
    """
    try:
        row = connection.execute(_TABLE, [name]).fetchone() if name else None
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        # It is no name, or the role may not enter its schema.
        raise SourceError(f"table {name}: {error.diag.message_primary}; mend the name, or use a role that may read it") from error
    if row is None:
        raise SourceError(_which(connection, name))
    oid, table, spelled, comment = row
    columns = [TableColumn(*found) for found in connection.execute(_COLUMNS, [oid])]
    if not columns:
        raise SourceError(f"table {spelled} has no columns; name another one")
    return Draft("\n".join(_lines(table, spelled, comment, columns, connection_id)) + "\n", table, len(columns), [])


def _which(connection: psycopg.Connection, name: str | None) -> str:
    found = [table for (table,) in connection.execute(_TABLES, [MAX_LISTED_TABLES + 1])]
    listed = ", ".join(found[:MAX_LISTED_TABLES]) + (", …" if len(found) > MAX_LISTED_TABLES else "")
    what = "no table is named" if name is None else f"there is no table {name}"
    return f"database '{connection.info.dbname}': {what}; name one of its tables by --table: {listed or 'it has none'}"


def _lines(
    table: str, spelled: str, comment: str | None, columns: Sequence[TableColumn], connection_id: str | None
) -> Iterator[str]:
    yield f"# Drafted from table {printable(spelled)}, by its catalog. What was not certain has a comment."
    yield from ("apiVersion: v3.1.0", "kind: DataContract", f"id: {scalar(table)}", f"name: {scalar(table)}")
    yield from ("version: 1.0.0", "status: active")
    if comment:
        yield f"description: {{purpose: {scalar(comment)}}}"
    yield "customProperties:"
    yield property_line("sourceTable", spelled, "  ")
    if connection_id:
        yield property_line("sourceConnection", connection_id, "  ")
    else:
        yield "  # sourceConnection: the id of an Airflow connection to this database"
    yield from ("schema:", f"  - name: {scalar(table)}")
    if comment:
        yield f"    description: {scalar(comment)}"
    yield "    properties:"
    key_length = sum(column.key_position is not None for column in columns)
    for column in columns:
        yield from _of_column(column, key_length)


def _of_column(column: TableColumn, key_length: int) -> Iterator[str]:
    kind, note = _type(column)
    yield f"      - name: {scalar(column.name)}"
    yield f"        physicalType: {kind if _PLAIN.fullmatch(kind) else scalar(kind)}{f'  # {printable(note)}' if note else ''}"
    if column.comment:
        yield f"        description: {scalar(column.comment)}"
    if column.key_position is not None:
        yield "        primaryKey: true"
        if key_length > 1:
            yield f"        primaryKeyPosition: {column.key_position}"
    elif column.not_null:
        yield "        required: true"
    if column.is_unique:
        yield "        unique: true"


def _type(column: TableColumn) -> tuple[str, str | None]:
    """The type in the contract, and what is to be known of it."""
    if column.kind in _OWN:
        return column.type_name, f"{_OWN[column.kind]}, which the data database has to have, too"
    if column.type_name == "money":
        return "text", "not certain: money there, written with the currency of its server"
    try:
        parse_type(column.type_name)
    except ValueError:
        return "text", f"not certain: {column.type_name} there"
    return column.type_name, None
