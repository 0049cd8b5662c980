"""The publish by a merge: finds which rows of table and landing differ, and writes those alone."""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import LoadError
from batchstream.postgres import key_columns, relations, sql_files
from batchstream.postgres.publish import guard

DELETED, UPDATED, INSERTED = "d", "u", "i"
"""What is done with a row, in ``pg_temp.changed``."""

_AT_ONCE = ((DELETED, UPDATED, INSERTED),)
_ONE_AFTER_THE_OTHER = ((DELETED,), (UPDATED,), (INSERTED,))

_FURTHER_UNIQUE = f"""
SELECT count(*) FROM pg_index AS i
WHERE i.indrelid = %s::regclass AND (i.indisunique OR i.indisexclusion)
    AND NOT (i.indpred IS NULL AND {key_columns.INDEXED} IS NOT DISTINCT FROM %s::text[])
"""  # noqa: S608 - made of constants

_MAY_CHANGE_ROWS = """
SELECT CASE WHEN g.tgisinternal THEN 'foreign key ' || quote_ident(k.conname) ELSE 'trigger ' || quote_ident(g.tgname) END AS name
FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid LEFT JOIN pg_constraint AS k ON k.oid = g.tgconstraint
WHERE g.tgrelid = %s::regclass AND g.tgenabled IN ('O', 'A')
    -- Of PostgreSQL's own, those with an action write rows; the others only look.
    AND (NOT g.tgisinternal OR p.proname ~ '^RI_FKey_(cascade|setnull|setdefault)_')
GROUP BY name ORDER BY name
"""
"""What may write other rows of the table than a publish does: triggers, and the actions of foreign keys that refer to it."""


class Changes(NamedTuple):
    """Numbers of rows."""

    inserted: int
    updated: int
    deleted: int


def merge(connection: psycopg.Connection, contract: Contract, load_id: int, *, allow_deletes: bool) -> Changes:
    """Make the table equal to the landing of a load, in the caller's transaction.

    Raises:
        LoadError: So many rows would be deleted that `guard` stops it, or a trigger of the table keeps a row from being written
            as it was verified.
    """
    _find_changes(connection, contract, load_id)
    guard.check_merge(connection, contract, load_id, _planned(connection).deleted, allow_deletes=allow_deletes)
    done = Changes(0, 0, 0)
    for actions in _passes(connection, contract):
        row = connection.execute(_merge(contract, load_id, actions)).fetchone() or (0, 0, 0)
        done = Changes(*(before + now for before, now in zip(done, row, strict=True)))
    _look_behind_triggers(connection, contract, load_id, done)
    return done


def _find_changes(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    # Without statistics the planner expects an empty landing and joins by nested loops. How many rows there are is enough for
    # it, of a table that is read once more and dropped: more than the least sample takes longer the more rows there are.
    connection.execute("SET LOCAL default_statistics_target = 1")
    connection.execute(sql.SQL("ANALYZE {}").format(relations.landing(contract, load_id)))
    # It expects every row to differ, which would cost more to hand over than to compare in one process.
    connection.execute("SET LOCAL parallel_tuple_cost = 0")
    connection.execute(
        sql_files.read("publish/changed.sql").format(
            target=relations.target(contract),
            landing=relations.landing(contract, load_id),
            changed_key=key_columns.changed(contract),
            **_compared(contract),
        )
    )


def _compared(contract: Contract) -> dict[str, sql.Composable]:
    """How rows of landing `s` and table `t` meet; of a key of several columns one says whether there is a row."""
    return {
        "same_key": key_columns.matched(contract),
        "key": sql.Identifier(key_columns.of_table(contract)[0]),
        "landing_key": sql.Identifier(key_columns.of_landing(contract)[0]),
        "differs": _differs(contract),
    }


def _differs(contract: Contract) -> sql.Composable:
    """Whether a row `t` of the table has other values than the row `s` of the landing with its key."""
    compared = [column for column in contract.columns if column.name not in contract.keys]
    if not compared:
        return sql.SQL("false")
    return sql.SQL(" OR ").join(
        [
            sql.SQL(
                "t.{0}::text IS DISTINCT FROM s.{0}::text" if column.type.compared_as_text else "t.{0} IS DISTINCT FROM s.{0}"
            ).format(sql.Identifier(column.name))
            for column in compared
        ]
    )


def _planned(connection: psycopg.Connection) -> Changes:
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE action = 'i'), count(*) FILTER (WHERE action = 'u'), "
        "count(*) FILTER (WHERE action = 'd') FROM pg_temp.changed"
    ).fetchone()
    return Changes(*row) if row else Changes(0, 0, 0)


def _passes(connection: psycopg.Connection, contract: Contract) -> Sequence[Sequence[str]]:
    """What is written together. PostgreSQL looks at a unique index row by row.

    So where somebody has made another one than the key's, what gives up a value is written before what takes it.
    """
    target, key = relations.target(contract).as_string(connection), key_columns.in_order(key_columns.of_table(contract))
    row = connection.execute(_FURTHER_UNIQUE, [target, key]).fetchone()
    return _AT_ONCE if row == (0,) else _ONE_AFTER_THE_OTHER


def _merge(contract: Contract, load_id: int, actions: Sequence[str]) -> sql.Composed:
    """One pass; its one row holds the counts of rows inserted, updated and deleted."""
    names = [sql.Identifier(column.name) for column in contract.columns]
    changing = [sql.Identifier(column.name) for column in contract.columns if column.name not in contract.keys]
    columns: list[sql.Composable] = [*names]
    values: list[sql.Composable] = [sql.SQL("s.{}").format(name) for name in names]
    if not contract.keys:
        columns.insert(0, key_columns.listed(key_columns.of_table(contract)))
        values.insert(0, sql.SQL("s.{}").format(sql.Identifier(contract.own.record_id)))
    return sql_files.read("publish/merge.sql").format(
        target=relations.target(contract),
        landing=relations.landing(contract, load_id),
        changed_key=key_columns.changed_listed(contract),
        key_in_landing=key_columns.changed_in_landing(contract),
        key_in_table=key_columns.changed_in_table(contract),
        actions=sql.SQL(", ").join(map(sql.Literal, actions)),
        assignments=sql.SQL(", ").join([sql.SQL("{0} = s.{0}").format(name) for name in changing or names]),
        columns=sql.SQL(", ").join(columns),
        values=sql.SQL(", ").join(values),
        load_number=sql.Literal(load_id),
        **relations.own_columns(contract),
    )


def _look_behind_triggers(connection: psycopg.Connection, contract: Contract, load_id: int, done: Changes) -> None:
    """See that a table is as it was verified if somebody has made what may change a row: before, after, or at the commit."""
    target = relations.target(contract)
    found = [name for (name,) in connection.execute(_MAY_CHANGE_ROWS, [target.as_string(connection)])]
    if not found:
        return
    planned = _planned(connection)
    # What waits for the commit would change rows behind this look.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    row = connection.execute(
        sql.SQL(
            "SELECT count(*) FROM {landing} AS s FULL JOIN {target} AS t ON {same_key} "
            "WHERE t.{key} IS NULL OR s.{landing_key} IS NULL OR {differs}"
        ).format(landing=relations.landing(contract, load_id), target=target, **_compared(contract))
    ).fetchone()
    other = row[0] if row else 0
    if done != planned or other:
        kept = sum(planned) - sum(done)
        raise LoadError(
            f"load {load_id}: of {sum(planned)} rows to insert, update and delete {kept} were kept from it, and {other} rows "
            f"would differ from those that were verified, by what somebody has made of table '{contract.name}': "
            f"{', '.join(found)}; nothing was changed: drop it, or let it write other tables only, and run again"
        )
