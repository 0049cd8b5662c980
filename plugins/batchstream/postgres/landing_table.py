"""The table where one load lands: made when the load is opened, with the contract's columns and no index."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract, Publish
from batchstream.errors import LoadError
from batchstream.postgres import columns, domains, names, relations, sql_files
from batchstream.postgres.copy_rows import RowCopy


def create(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Make the landing of a load; the loading role may insert into it, the checking one read it.

    Raises:
        LoadError: Something has its name: of a ledger that was made anew, load numbers come again.
    """
    landing = relations.landing(contract, load_id)
    if relations.exists(connection, landing):
        name = relations.spelled(connection, landing)
        raise LoadError(
            f"load {load_id} can't be opened: {name} is there already, and no load of this ledger has made it: drop or rename "
            "it, and run again"
        )
    definitions = columns.definitions(contract)
    if contract.publish is Publish.SWAP:
        definitions.append(load_id_column(contract, load_id))
    connection.execute(
        sql_files.read("tables/landing.sql").format(
            landing=landing,
            record_id=sql.Identifier(contract.own.record_id),
            columns=sql.SQL(",\n    ").join(definitions),
            loader=sql.Identifier(names.LOADER),
            checker=sql.Identifier(names.CHECKER),
        )
    )


def insert(connection: psycopg.Connection, contract: Contract, load_id: int, rows: Sequence[Sequence[Any]]) -> dict[int, str]:
    """Insert a few records: of each its number, and its values in the contract's order.

    Returns:
        Place of each record that a domain refuses among `rows`, and the reason.
    """
    copied = [(*values, record_id) for record_id, *values in rows]
    return domains.copy_good(connection, contract, RowCopy(contract, relations.landing(contract, load_id)), copied)


def load_id_column(contract: Contract, load_id: int) -> sql.Composed:
    """Says of all rows that they are of one load: with the CHECK, nobody reads them to see that they fit its partition."""
    return sql.SQL("{name} bigint NOT NULL DEFAULT {load} CHECK ({name} = {load})").format(
        name=sql.Identifier(contract.own.load_id), load=sql.Literal(load_id)
    )
