"""The tables of a dataset before a load: the ledger's layout, the target's shape."""

import psycopg

from batchstream.contract.model import Contract, Publish
from batchstream.postgres import columns, locks, migrations, obstacles, relations, rights, swap, target


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
        found = relations.kind_of(connection, relations.target(contract))
        if contract.publish is Publish.SWAP:
            swap.make_view(connection, contract)
            columns.compare(connection, contract)
            return
        if found not in (None, "r"):
            raise relations.wrong_kind(contract, str(found))
        if found:
            obstacles.require_none(connection, contract)
            columns.compare(connection, contract)
            target.complete(connection, contract)
        swap.forget(connection, contract)
