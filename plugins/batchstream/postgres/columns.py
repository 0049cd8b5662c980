"""The columns of a dataset's tables: as they are made, and as they are found. A difference is told before anything is loaded."""

import psycopg
from psycopg import sql

from batchstream.contract.model import Column, Contract, Publish
from batchstream.errors import ContractError, LoadError
from batchstream.postgres import added_columns, relations
from batchstream.postgres.found_columns import FoundColumn, FoundTable, change, find

_SPELL_TYPE = "SELECT format_type(t.oid, t.typmod) FROM (SELECT to_regtype(%s)::oid AS oid, to_regtypemod(%s) AS typmod) AS t"


def definitions(contract: Contract) -> list[sql.Composable]:
    """The columns of the contract, as ``CREATE TABLE`` takes them."""
    return [
        sql.SQL("{} {} {}").format(
            sql.Identifier(column.name), sql.SQL(column.type.sql), sql.SQL("NULL" if column.nullable else "NOT NULL")
        )
        for column in contract.columns
    ]


def compare(connection: psycopg.Connection, contract: Contract, name: str) -> None:
    """See that a contract's columns are those of its tables.

    Args:
        connection: Of the owning role.
        contract: The dataset's.
        name: Of its base table, as people write it.

    Raises:
        ContractError: One has another type, may be NULL where it may not, or is on one side only.
    """
    table = compare_base(connection, contract, name)
    if contract.publish is Publish.SWAP:
        view = relations.target(contract)
        _compare_view(contract, FoundTable(relations.spelled(connection, view), find(connection, view)), table)


def compare_base(connection: psycopg.Connection, contract: Contract, name: str) -> FoundTable:
    """The same of the base table alone, without the view of a swap; return what was found."""
    table = FoundTable(name, find(connection, relations.base_table(contract)))
    added_columns.compare(connection, contract, table)
    _compare_contract(connection, contract, table)
    _refuse_further(connection, contract, table)
    return table


def compare_landing(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """See that a landing has the columns of the contract that its load goes by.

    Raises:
        LoadError: It has others.
    """
    landing = relations.landing(contract, load_id)
    own = contract.own
    name = landing.as_string(connection)
    found = find(connection, landing)
    if not found:
        raise LoadError(f"load {load_id}: landing {name} is gone: somebody has dropped or renamed it; start a new run")
    wanted = {column.name: _wanted(connection, column) for column in contract.columns}
    # What the landings of a swap have beside them; other landings have record_id alone.
    made = {
        own.record_id: FoundColumn("bigint", not_null=True),
        own.created_at: FoundColumn("timestamp with time zone", not_null=True),
        own.load_id: FoundColumn("bigint", not_null=True),
    }
    for column, said in {own.record_id: made[own.record_id], **wanted}.items():
        if found.get(column) != said:
            raise LoadError(
                f"load {load_id}: landing {name} has {found.get(column) or 'no such column'} for column '{column}', "
                f"its contract says {said}: somebody has altered it; start a new run"
            )
    for column, one in found.items():
        # A first load's landing becomes the table, and would show it to readers.
        if column not in wanted and made.get(column) != one:
            raise LoadError(
                f"load {load_id}: landing {name} has column '{column}' ({one}), which its contract has not: somebody has "
                "altered it; start a new run"
            )


def _wanted(connection: psycopg.Connection, column: Column) -> FoundColumn:
    row = connection.execute(_SPELL_TYPE, [column.type.sql, column.type.sql]).fetchone()
    return FoundColumn(row[0] if row else None, not column.nullable)


def _compare_contract(connection: psycopg.Connection, contract: Contract, table: FoundTable) -> None:
    for column in contract.columns:
        wanted = _wanted(connection, column)
        found = table.columns.get(column.name)
        if found == wanted:
            continue
        raise ContractError(
            f"{contract.path}: column '{column.name}': the contract says {wanted}, table '{table.name}' has "
            f"{found or 'no such column'}; change the contract back, or the table by ALTER TABLE {table.name} "
            f"{change(relations.quoted(connection, column.name), found, wanted)}"
        )


def _refuse_further(connection: psycopg.Connection, contract: Contract, table: FoundTable) -> None:
    """Refuse a column that no load writes: its old values would stand beside other records."""
    swapped = contract.publish is Publish.SWAP
    # A partition has to have the generated ones, too; a table that is merged into fills them itself.
    found = {name for name, column in table.columns.items() if swapped or not column.generated}
    own = added_columns.named(contract, added_columns.of_base_table(contract))
    further = sorted(found - {*(column.name for column in contract.columns), *own})
    if not further:
        return
    column = relations.quoted(connection, further[0])
    raise ContractError(
        f"{contract.path}: table '{table.name}' has column '{further[0]}', which the contract has not, so that its old values "
        f"would stand beside other records; write it into the contract, or ALTER TABLE {table.name} DROP COLUMN {column}"
        f"{' CASCADE: the view is made anew by the next run' if swapped else ''}"
    )


def _compare_view(contract: Contract, view: FoundTable, table: FoundTable) -> None:
    """The view was made for the columns, and for the key, of its time."""
    for column in contract.columns:
        found = view.columns.get(column.name)
        if found is None or found.type_name != table.columns[column.name].type_name:
            raise ContractError(
                f"{contract.path}: column '{column.name}': view '{view.name}' does not show it as table '{table.name}' has it; "
                f"DROP VIEW {view.name}: it is made anew by the next run"
            )
    own = added_columns.named(contract, added_columns.shown(contract))
    wanted = {*own, *(column.name for column in contract.columns)}
    if differing := sorted(wanted ^ view.columns.keys()):
        raise ContractError(
            f"{contract.path}: view '{view.name}' {'shows' if differing[0] in view.columns else 'does not show'} column "
            f"'{differing[0]}', as it was made for another key; DROP VIEW {view.name}: it is made anew by the next run"
        )
