"""The publish: makes what readers see equal to the verified landing, in one moment."""

from typing import NamedTuple

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract, Publish
from batchstream.errors import LoadError
from batchstream.postgres import ledger, locks, obstacles, relations, rights
from batchstream.postgres.publish import first_load, indexes, merge, refusals, repeats, swap


class Published(NamedTuple):
    """What the publish did to the target."""

    inserted_rows: int
    updated_rows: int
    deleted_rows: int
    published_rows: int


def publish(connection: psycopg.Connection, contract: Contract, load_id: int, *, allow_deletes: bool = False) -> Published:
    """Make the target equal to the landing of a load whose checks are green.

    Each of these is a transaction of its own, and one publish of a dataset is in any of them at a time:

    1. The load becomes *verified*: from here on nothing lands for it any more, and nobody but the owner may insert into its
       landing.
    2. If the contract says ``publish: swap``, the landing gets its keys and indexes (`swap`); a table that somebody made before
       the first load gets its own. A later step that fails leaves them, so another try builds nothing.
    3. The rows that differ are found, and ``MERGE`` deletes, updates and inserts them (`merge`). The landing of a first load
       becomes the target (`first_load`). With a swap, the landing is shown in place of the load before it. The target holds as
       many rows as the landing, and the landing as many as were verified, or all of it is rolled back. The ledger gets the
       counts and the state *published* in the commit that shows the rows to readers.

    A load that is published already is left as it is, so a publish that committed and then reported failure can be
    tried again.

    Args:
        connection: Of the owning role, in autocommit.
        contract: The dataset's.
        load_id: The load.
        allow_deletes: Whether more than half of a table may be deleted.

    Raises:
        ContractError: The table was changed since the load was opened, so that it can't be published any more.
        LoadError: The load was given up, its records break the target's key, it would delete too much, or something that
            somebody has made of the table refuses it.
        SinkError: A lock was not to be had in time, or PostgreSQL gave up the transaction; the target is unchanged.
    """
    try:
        row = ledger.read(connection, load_id)
        if row["state"] == ledger.State.PUBLISHED:
            return Published(*(row[name] for name in Published._fields))
        verified_rows: int = row["landed_records"]
        with connection.transaction():
            _begin(connection, contract, load_id)
            rights.close_landing(connection, contract, load_id)
        if contract.publish is Publish.SWAP:
            return _swap(connection, contract, load_id, verified_rows, allow_deletes=allow_deletes)
        return _merge(connection, contract, load_id, verified_rows, allow_deletes=allow_deletes)
    except psycopg.Error as error:
        raise refusals.explain(connection, contract, load_id, error) from error


def _begin(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Begin a transaction in which nobody else publishes the dataset, and nobody gives up the load."""
    locks.publishing(connection, contract.name)
    ledger.transition(connection, load_id, ledger.State.VERIFIED)
    # A policy that hides a row from the owner would leave it undeleted: now PostgreSQL refuses instead.
    connection.execute("SET LOCAL row_security = off")


def _merge(
    connection: psycopg.Connection, contract: Contract, load_id: int, verified_rows: int, *, allow_deletes: bool
) -> Published:
    _give_key(connection, contract, load_id)
    with connection.transaction():
        _begin(connection, contract, load_id)
        if not relations.target_exists(connection, contract):
            first_load.take_landing(connection, contract, load_id)
            rows = _count(connection, relations.target(contract))
            changes = merge.Changes(inserted=rows, updated=0, deleted=0)
        else:
            # Again: somebody may have changed the table since the load was opened.
            obstacles.require_none(connection, contract)
            rights.tighten(connection, relations.target(contract))
            changes = merge.merge(connection, contract, load_id, allow_deletes=allow_deletes)
            rows = _count(connection, relations.landing(contract, load_id))
            _require_rows(connection, contract, load_id, rows)
        return _note(connection, load_id, verified_rows, Published(*changes, published_rows=rows))


def _give_key(connection: psycopg.Connection, contract: Contract, load_id: int) -> None:
    """Build the indexes of a table that somebody made before the first load. A publication asks for its primary key, too."""
    if not relations.target_exists(connection, contract):
        return
    if not indexes.has_key(connection, contract):
        with connection.transaction():
            _begin(connection, contract, load_id)
            # Again: somebody may have changed the table since the load was opened.
            obstacles.require_none(connection, contract)
            indexes.build_missing(connection, contract)
    indexes.declare_key(connection, contract)


def _swap(
    connection: psycopg.Connection, contract: Contract, load_id: int, verified_rows: int, *, allow_deletes: bool
) -> Published:
    with connection.transaction():
        _begin(connection, contract, load_id)
        if relations.target_exists(connection, contract):
            # Again: somebody may have changed the table since the load was opened.
            obstacles.require_none(connection, contract)
        # Nothing lands any more, so what is counted here is what will be shown.
        rows = swap.prepare(connection, contract, load_id, allow_deletes=allow_deletes)
    with connection.transaction():
        _begin(connection, contract, load_id)
        replaced_rows = swap.show(connection, contract, load_id, rows)
        published = Published(inserted_rows=rows, updated_rows=0, deleted_rows=replaced_rows, published_rows=rows)
        return _note(connection, load_id, verified_rows, published)


def _note(connection: psycopg.Connection, load_id: int, verified_rows: int, published: Published) -> Published:
    if published.published_rows != verified_rows:
        raise LoadError(
            f"load {load_id}: {verified_rows} records landed and were verified, now the landing has {published.published_rows}; "
            "nothing was changed: start a new run"
        )
    ledger.transition(connection, load_id, ledger.State.PUBLISHED, **published._asdict())
    return published


def _require_rows(connection: psycopg.Connection, contract: Contract, load_id: int, landing_rows: int) -> None:
    rows = _count(connection, relations.target(contract))
    if rows != landing_rows:
        # A record that stands twice and is in the target already differs from nothing, so MERGE doesn't meet it.
        why = repeats.repeated_key(connection, contract, load_id) or (
            f"'{contract.name}' would have {rows} rows and the landing has {landing_rows}, as somebody else changed the table "
            "during the publish"
        )
        raise LoadError(f"load {load_id}: {why}; nothing was changed")


def _count(connection: psycopg.Connection, table: sql.Identifier) -> int:
    found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    return int(found[0]) if found else 0
