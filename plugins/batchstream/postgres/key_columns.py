"""The key of a dataset in SQL: how rows of table and landing are matched by it, of however many columns it is."""

from collections.abc import Iterable

from psycopg import sql

from batchstream.contract.model import Contract

INDEXED = """ARRAY(SELECT a.attname::text
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
    LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE k.place <= i.indnkeyatts ORDER BY a.attname)"""
"""The columns by which an index ``i`` of ``pg_index`` sorts, in the order of `in_order`; NULL stands for an expression."""


def in_order(names: Iterable[str]) -> list[str]:
    """Names in PostgreSQL's order of names, to compare the columns of two keys: in which order a key has them is the same."""
    return sorted(names)


def of_table(contract: Contract) -> tuple[str, ...]:
    """The columns of the target's primary key."""
    return contract.key_columns


def of_landing(contract: Contract) -> tuple[str, ...]:
    """The columns of a landing that become that key. None of their values is NULL."""
    return contract.keys or (contract.own.record_id,)


def listed(names: Iterable[str]) -> sql.Composed:
    """Columns as a statement lists them."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


def matched(contract: Contract) -> sql.Composed:
    """Whether a row `t` of the table and a row `s` of the landing have the same key."""
    return _equal("t", of_table(contract), "s", of_landing(contract))


def matched_in_landings(contract: Contract) -> sql.Composed:
    """Whether a row `t` of one landing and a row `s` of another have the same key."""
    return _equal("t", of_landing(contract), "s", of_landing(contract))


def changed(contract: Contract) -> sql.Composed:
    """The key of a row that is in the landing `s`, in the table `t` or in both, as ``pg_temp.changed`` calls it."""
    pairs = zip(of_landing(contract), of_table(contract), strict=True)
    return sql.SQL(", ").join(
        [
            sql.SQL("coalesce(s.{}, t.{}) AS {}").format(*map(sql.Identifier, (landing, table, f"key_{number}")))
            for number, (landing, table) in enumerate(pairs, 1)
        ]
    )


def changed_listed(contract: Contract) -> sql.Composed:
    """The columns of ``pg_temp.changed`` that hold the key."""
    return sql.SQL(", ").join([sql.SQL("changed.{}").format(sql.Identifier(name)) for name in _changed_names(contract)])


def changed_in_landing(contract: Contract) -> sql.Composed:
    """Whether a row `c` of ``pg_temp.changed`` is about the row `s` of the landing."""
    return _equal("s", of_landing(contract), "c", _changed_names(contract))


def changed_in_table(contract: Contract) -> sql.Composed:
    """Whether a row `c` of ``pg_temp.changed`` is about the row `t` of the table."""
    return _equal("t", of_table(contract), "c", _changed_names(contract))


def _changed_names(contract: Contract) -> list[str]:
    return [f"key_{number}" for number, _ in enumerate(of_table(contract), 1)]


def _equal(left: str, left_names: Iterable[str], right: str, right_names: Iterable[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(
        [
            sql.SQL("{}.{} = {}.{}").format(*map(sql.Identifier, (left, one, right, other)))
            for one, other in zip(left_names, right_names, strict=True)
        ]
    )
