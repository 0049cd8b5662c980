"""The publish by a swap: the landing itself is shown, in place of the load before it, once it has its key and indexes.

A dataset is a view over a partitioned table with a partition a load; it shows the newest load in ``batchstream.shown``. So
a publish attaches a partition and inserts a row, however many rows there are.
"""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import ContractError
from batchstream.postgres import columns, key_columns, landing_table, relations, rights, sql_files
from batchstream.postgres.publish import guard

_IS_CURRENT = """
SELECT 1 FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
WHERE r.ev_class = %s::regclass AND d.refobjid = 'batchstream.load_is_gone(text)'::regprocedure
"""
"""Whether a view was made by a release that shows the newest of several loads."""


def forget(connection: psycopg.Connection, contract: Contract) -> None:
    """Show no load by a swap: the dataset is published by a merge now, and may come back when its loads are long outdated."""
    connection.execute("DELETE FROM batchstream.shown WHERE dataset = %s", [contract.name])


def make_view(connection: psycopg.Connection, contract: Contract, *, exists: bool) -> None:
    """Make the view that readers see, and the partitioned table below it, if missing; renew a view of an older release.

    Args:
        connection: Of the owning role.
        contract: The dataset's, published by a swap.
        exists: Whether the view does, by `relations.target_exists`.

    Raises:
        ContractError: There is a view, and the table below it was renamed, moved or dropped.
    """
    view = relations.target(contract)
    if exists and not relations.exists(connection, relations.partitioned_table(contract)):
        name, table = relations.spelled(connection, view), relations.partitioned_table(contract).as_string(connection)
        raise ContractError(
            f"{contract.path}: view '{name}' is there, and the table {table} that it reads is not: it was renamed or moved; take "
            f"that back, or ALTER VIEW {name} RENAME TO {contract.name}_old: the next load makes both anew"
        )
    if not exists:
        partitioned = relations.partitioned_table(contract)
        if relations.exists(connection, partitioned):
            columns.compare_base(connection, contract, relations.spelled(connection, partitioned))
        connection.execute(_table(contract))
        connection.execute(_view(contract))
        rights.show(connection, view)
    elif connection.execute(_IS_CURRENT, [view.as_string(connection)]).fetchone() is None:
        connection.execute(_view(contract))
    rights.tighten(connection, view)
    rights.close_partitions(connection, relations.partitioned_table(contract))


def prepare(connection: psycopg.Connection, contract: Contract, load_id: int, *, allow_deletes: bool = True) -> int:
    """Build keys and indexes of a landing into which nothing lands any more; returns its number of rows. Can be repeated.

    Raises:
        LoadError: More than half of the records that are shown would be gone.
    """
    landing = relations.landing(contract, load_id)
    attached = connection.execute(
        "SELECT relispartition FROM pg_class WHERE oid = %s::regclass", [landing.as_string(connection)]
    ).fetchone()
    if attached != (True,):
        make_view(connection, contract, exists=relations.target_exists(connection, contract))
        connection.execute(_prepare(contract, load_id))
        connection.execute(sql.SQL("ANALYZE {}").format(landing))
        guard.check_swap(connection, contract, load_id, allow_deletes=allow_deletes)
        connection.execute(_attach(contract, load_id))
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(landing)).fetchone()
    return int(row[0]) if row else 0


def show(connection: psycopg.Connection, contract: Contract, load_id: int, rows: int) -> int:
    """Show a prepared landing of so many rows to readers; returns the number of rows that it replaces."""
    row = connection.execute(
        "SELECT l.published_rows FROM batchstream.shown AS s JOIN batchstream.loads AS l USING (load_id) "
        "WHERE s.dataset = %s ORDER BY s.load_id DESC LIMIT 1",
        [contract.name],
    ).fetchone()
    if rows:
        connection.execute(_show(contract, load_id))
    else:
        # The view looks for a load that has a row; none may be left that has.
        forget(connection, contract)
    return int(row[0]) if row else 0


def _table(contract: Contract) -> sql.Composed:
    return sql_files.read("tables/swap.sql").format(
        partitioned_table=relations.partitioned_table(contract),
        columns=sql.SQL(",\n    ").join(columns.definitions(contract)),
        **relations.own_columns(contract),
    )


def _view(contract: Contract) -> sql.Composed:
    shown: list[sql.Composable] = [sql.Identifier(column.name) for column in contract.columns]
    if not contract.keys:
        shown.insert(0, sql.SQL("{record_id} AS {id}").format(**relations.own_columns(contract)))
    return sql_files.read("tables/swap_view.sql").format(
        partitioned_table=relations.partitioned_table(contract),
        target=relations.target(contract),
        columns=sql.SQL(", ").join(shown),
        dataset=sql.Literal(contract.name),
        **relations.own_columns(contract),
    )


def _prepare(contract: Contract, load_id: int) -> sql.Composed:
    landing = relations.landing(contract, load_id)
    indexes = [
        sql.SQL("CREATE INDEX ON {} ({});").format(landing, sql.Identifier(column.name))
        for column in contract.columns
        if column.indexed
    ]
    return sql_files.read("publish/prepare.sql").format(
        landing=landing,
        key=key_columns.listed(key_columns.of_landing(contract)),
        indexes=sql.SQL("\n").join(indexes),
        load_id_column=landing_table.load_id_column(contract, load_id),
        created_at=sql.Identifier(contract.own.created_at),
    )


def _attach(contract: Contract, load_id: int) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
        relations.partitioned_table(contract), relations.landing(contract, load_id), sql.Literal(load_id)
    )


def _show(contract: Contract, load_id: int) -> sql.Composed:
    return sql_files.read("publish/swap.sql").format(load_id=sql.Literal(load_id), dataset=sql.Literal(contract.name))
