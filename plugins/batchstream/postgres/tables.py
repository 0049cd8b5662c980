"""The tables of a dataset before a load: the ledger's layout, the target's shape."""

import psycopg

from batchstream.contract.model import Contract, Publish
from batchstream.postgres import columns, locks, migrations, obstacles, rights, swap, target, templates


def make_tables(connection: psycopg.Connection, contract: Contract) -> None:
    """Make what is missing: ledger, inbox, quarantine, and for a dataset that is published by a swap its view.

    The table of one that is published by a merge comes with its first load.

    Raises:
        ContractError: The target exists with other columns than the contract's.
    """
    rights.require_checker(connection)
    migrations.migrate(connection)
    with connection.transaction():
        # CREATE ... IF NOT EXISTS is not safe against itself in another session.
        locks.tables(connection)
        found = swap.kind_of(connection, templates.target(contract))
        if contract.publish is Publish.SWAP:
            swap.make_view(connection, contract)
        elif found not in (None, "r"):
            raise swap.wrong_kind(contract, str(found))
        elif found:
            obstacles.require_none(connection, contract)
        if found or contract.publish is Publish.SWAP:
            columns.compare(connection, contract)
        if contract.publish is Publish.MERGE:
            if found:
                target.complete(connection, contract)
            swap.forget(connection, contract)
