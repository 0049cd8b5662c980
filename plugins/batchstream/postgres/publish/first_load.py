"""The publish of a first load: its landing becomes the table that readers see, whole, if the contract says merge."""

import hashlib

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.postgres import key_columns, names, relations, rights, sql_files
from batchstream.postgres.publish import indexes


def take_landing(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Make the landing of a load the table; its rows stay where they are, and it gets key and indexes.

    Raises:
        psycopg.errors.UniqueViolation: A key stands twice.
    """
    connection.execute(_first_load(contract, load_id))
    rights.show(connection, relations.target(contract))
    indexes.build_missing(connection, contract)


def _first_load(contract: Contract, load_id: int) -> sql.Composed:
    key = key_columns.listed(key_columns.of_table(contract))
    number = "DROP COLUMN {}" if contract.keys else "RENAME COLUMN {} TO {}"
    # Begins with a digit, as no landing's name does, and ends in what nobody calls a table.
    passing_name = f"{load_id} of {hashlib.sha256(contract.name.encode()).hexdigest()[:32]}"
    return sql_files.read("publish/first.sql").format(
        landing=relations.landing(contract, load_id),
        passing_name=sql.Identifier(passing_name),
        passing=sql.Identifier(names.LANDING_SCHEMA, passing_name),
        moved=sql.Identifier(names.TARGET_SCHEMA, passing_name),
        schema=sql.Identifier(names.TARGET_SCHEMA),
        name=sql.Identifier(contract.name),
        target=relations.target(contract),
        key=key,
        number=sql.SQL(number).format(sql.Identifier(contract.own.record_id), key),
        load_number=sql.Literal(load_id),
        **relations.own_columns(contract),
    )
