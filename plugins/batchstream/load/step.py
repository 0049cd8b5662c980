"""The frame of a step: its connection, a sign of life while it works, and the contract that its load began with."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from batchstream.contract import Contract
from batchstream.errors import errors_about
from batchstream.load.pinned import pinned_contract
from batchstream.postgres import ledger
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.failures import postgres_errors


@contextmanager
def one_step(settings: PostgresSettings, load_id: int, step: str, doing: str) -> Iterator[tuple[psycopg.Connection, Contract]]:
    """Work on a load; what fails says of which load and dataset it is.

    Args:
        settings: Of the role that works.
        load_id: The load.
        step: Name of the step, for the server's list of sessions.
        doing: What PostgreSQL is needed for, for messages.

    Raises:
        LoadError: The load was given up.
        SinkError: PostgreSQL can't be reached, or gave up.
    """
    with (
        errors_about(load_id=load_id) as known,
        connect(settings, application_name=f"batchstream {step}") as connection,
        postgres_errors(f"load {load_id}: {doing}", connection),
        ledger.working_on(connection, load_id),
    ):
        contract = pinned_contract(connection, load_id)
        known["dataset"] = contract.name
        yield connection, contract
