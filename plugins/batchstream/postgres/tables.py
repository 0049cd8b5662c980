"""The tables of a dataset before a load: the ledger's layout, the target's shape."""

import psycopg

from batchstream.contract.model import Contract, Publish
from batchstream.postgres import locks, migrations, obstacles, relations, rights
from batchstream.postgres.publish import indexes, swap


def make_tables(connection: psycopg.Connection, contract: Contract) -> None:
    """Make what is missing: ledger, inbox, quarantine, and for a dataset that is published by a swap its view.

    The table of one that is published by a merge comes with its first load. Where nothing is missing, nothing is changed and no
    lock is taken that a publish could hold.

    Raises:
        ContractError: The target exists with other columns than the contract's, or something stands in a publish's way.
    """
    rights.require_checker(connection)
    migrations.migrate(connection)
    with connection.transaction():
        # Of this dataset alone: building an index that a contract got later may take minutes.
        locks.opening(connection, contract.name)
        exists = relations.target_exists(connection, contract)
        if contract.publish is Publish.SWAP:
            swap.make_view(connection, contract, exists=exists)
            obstacles.require_none(connection, contract)
            return
        if exists:
            obstacles.require_none(connection, contract)
            _complete(connection, contract)
        swap.forget(connection, contract)


def _complete(connection: psycopg.Connection, contract: Contract) -> None:
    """Give the table the indexes that it lacks, if a load was published, and take from it what the loading role may change."""
    rights.tighten(connection, relations.target(contract))
    if indexes.has_key(connection, contract):
        indexes.build_missing(connection, contract)
        indexes.declare_key(connection, contract)
