"""The table that readers see, if a load is published by a merge: the landing of the first load becomes it, whole."""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.postgres import indexes, names, relations, rights, sql_files


def is_missing(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether no load was published yet, and nobody else made the table."""
    return relations.kind_of(connection, relations.target(contract)) is None


def take_landing(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Make the landing of a load the table; its rows stay where they are, and it gets key and indexes.

    Raises:
        psycopg.errors.UniqueViolation: A key stands twice.
    """
    connection.execute(_first_load(contract, load_id))
    rights.show(connection, relations.target(contract))
    indexes.build_missing(connection, contract)


def complete(connection: psycopg.Connection, contract: Contract) -> None:
    """Give the table the indexes that it lacks, if a load was published, and take from it what the loading role may change."""
    rights.tighten(connection, relations.target(contract))
    if indexes.has_key(connection, contract):
        indexes.build_missing(connection, contract)
        indexes.declare_key(connection, contract)


def _first_load(contract: Contract, load_id: int) -> sql.Composed:
    record_id = "RENAME COLUMN record_id TO {}" if contract.key is None else "DROP COLUMN record_id"
    # Begins with a digit, as no dataset's name does.
    passing_name = f"{load_id} of {contract.name}"
    return sql_files.read("publish/first.sql").format(
        landing=relations.landing(contract, load_id),
        passing_name=sql.Identifier(passing_name),
        passing=sql.Identifier(names.LANDING_SCHEMA, passing_name),
        moved=sql.Identifier(names.TARGET_SCHEMA, passing_name),
        schema=sql.Identifier(names.TARGET_SCHEMA),
        name=sql.Identifier(contract.name),
        target=relations.target(contract),
        key=sql.Identifier(contract.key_column),
        record_id=sql.SQL(record_id).format(sql.Identifier(contract.key_column)),
        load_id=sql.Literal(load_id),
    )
