"""What is shown of a load: the counts of its stages, and the first rows that readers see."""

from typing import Any

import psycopg
from psycopg import sql
from rich.markup import escape
from rich.table import Table

from batchstream.contract import Contract
from batchstream.local.console import out, say
from batchstream.postgres import relations

SHOWN_ROWS = 3
SHOWN_CHARACTERS = 20
SHOWN_WIDTH = 120
"""Of a terminal that is wider, or of no terminal."""

GAP = "  "


def show_load(connection: psycopg.Connection, contract: Contract, load: dict[str, Any], seconds: float) -> None:
    """Print what the ledger says of a load, and of a published one what readers see."""
    title = escape(f"load {load['load_id']} of {contract.name}: {load['state']}")
    table = Table(title=title, title_justify="left", title_style="none", show_header=False)
    for label, value in (
        ("seconds, all steps", f"{seconds:.1f}"),
        ("produced", f"{_n(load['produced_batches'])} batches, {_n(load['produced_records'])} records"),
        ("consumed", f"{_n(load['consumed_batches'])} batches, {_n(load['consumed_records'])} records"),
        ("landed", f"{_n(load['landed_records'])} records"),
        *([("filtered out", f"{load['filtered_records']} records")] if load["filtered_records"] else []),
        ("quarantined", f"{_n(load['quarantined_records'])} records"),
        (
            "published",
            f"{_n(load['inserted_rows'])} inserted, {_n(load['updated_rows'])} updated, {_n(load['deleted_rows'])} deleted",
        ),
    ):
        table.add_row(label, value)
    published = load["published_at"] is not None
    # By its real columns: those of a later contract may not be there yet.
    there = _columns(connection, relations.target(contract)) if published else set()
    for label, value in _measures(connection, contract, there) if published else []:
        table.add_row(escape(label), value)
    out.print(table)
    if published:
        names = list(dict.fromkeys([*contract.key_columns, *(column.name for column in contract.columns)]))
        _show_rows(connection, contract, [name for name in names if name in there])


def show_what_stays(connection: psycopg.Connection, contract: Contract) -> None:
    """Print which load readers see after a run that published none."""
    row = connection.execute(
        "SELECT load_id, published_rows, published_at::timestamptz(0) FROM batchstream.loads "
        "WHERE dataset = %s AND published_at IS NOT NULL ORDER BY published_at DESC LIMIT 1",
        [contract.name],
    ).fetchone()
    if row is None:
        say(f"no load of {contract.name} was published yet")
    else:
        say(f"readers of {contract.name} see load {row[0]}: {row[1]} rows, published at {row[2]}")


def _n(value: object) -> str:
    return "-" if value is None else str(value)


def _columns(connection: psycopg.Connection, target: sql.Composable) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(target))
        return {column.name for column in cursor.description or ()}


def _measures(connection: psycopg.Connection, contract: Contract, there: set[str]) -> list[tuple[str, str]]:
    """Number of rows, and the mean of the first indexed column: the one that readers ask for."""
    target = relations.target(contract)
    count = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(target)).fetchone()
    found = [("COUNT(*)", _n(count and count[0]))]
    for column in contract.columns:
        if column.indexed and column.type.python is float and column.name in there:
            mean = connection.execute(
                sql.SQL("SELECT avg({})::numeric(20,6) FROM {}").format(sql.Identifier(column.name), target)
            ).fetchone()
            found.append((f"AVG({column.name})", "NULL" if mean is None or mean[0] is None else str(mean[0])))
    return found


def _show_rows(connection: psycopg.Connection, contract: Contract, names: list[str]) -> None:
    rows = connection.execute(
        sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT {}").format(
            sql.SQL(", ").join(map(sql.Identifier, names)),
            relations.target(contract),
            sql.SQL(", ").join(map(sql.Identifier, [name for name in contract.key_columns if name in names] or names[:1])),
            sql.Literal(SHOWN_ROWS),
        )
    ).fetchall()
    cells = [[_shown(name) for name in names], *([_shown(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    fitting = _fitting(widths, min(out.width, SHOWN_WIDTH) if out.is_terminal else SHOWN_WIDTH)
    rest = f", the first {fitting} of {len(names)} columns" if fitting < len(names) else ""
    # Not a drawn table: plain lines survive being wrapped or copied.
    say(f"first rows of {contract.name}{rest}:")
    for row in cells:
        say(GAP + GAP.join(cell.rjust(width) for cell, width in zip(row[:fitting], widths, strict=False)))


def _fitting(widths: list[int], width: int) -> int:
    """How many columns fit into a line; at least the first."""
    taken = 0
    for place, one in enumerate(widths):
        taken += len(GAP) + one
        if taken > width:
            return max(1, place)
    return len(widths)


def _shown(value: object) -> str:
    text = "NULL" if value is None else repr(value)[1:-1] if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
