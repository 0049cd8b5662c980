"""Replays the quarantine of a failed load: lands what keeps the contract now, checks the load again, publishes it."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract
from batchstream.errors import LoadError
from batchstream.postgres import ledger, templates
from batchstream.postgres.publish import publish
from batchstream.records.codec import Misfit, RecordCodec


def replay_load(connection: psycopg.Connection, contracts: Mapping[str, Contract], load_id: int) -> str:
    """Land the rejected records of a failed load that its contract, mended meanwhile, accepts now; then check and publish.

    Args:
        connection: Of the owning role.
        contracts: Every contract, by dataset.
        load_id: The load.

    Returns:
        What was done, in a sentence.

    Raises:
        LoadError: The load is not one that may be replayed, or a check is still red; then the target is as it was.
    """
    load = ledger.read(connection, load_id)
    contract = contracts.get(load["dataset"])
    if contract is None:
        raise LoadError(f"load {load_id}: there is no contract for its dataset '{load['dataset']}' any more")
    with connection.transaction():
        _require_replayable(connection, contract, load)
        landed, refused = _land_rejected(connection, contract, load_id)
        connection.execute(
            "UPDATE batchstream.loads SET state = 'landed', reason = NULL, closed_at = NULL, seen_at = clock_timestamp(), "
            "landed_records = landed_records + %s WHERE load_id = %s",
            [landed, load_id],
        )
    reason = refused or _first_red_check(connection, contract, load_id)
    if reason is None:
        published = publish(connection, contract, load_id)
        ledger.close(connection, load_id, reason=None)
        return f"load {load_id} of {contract.name}: {landed} records replayed, published: {published._asdict()}"
    ledger.close(connection, load_id, reason=reason)
    connection.commit()
    raise LoadError(f"load {load_id} of {contract.name}: {landed} records replayed, nothing was published: {reason}")


def _require_replayable(connection: psycopg.Connection, contract: Contract, load: dict[str, Any]) -> None:
    load_id = load["load_id"]
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [contract.name])
    if load["state"] != ledger.State.FAILED or load["landed_at"] is None:
        raise LoadError(f"load {load_id} is {load['state']}; only a load that landed and then failed can be replayed")
    newer = connection.execute(
        "SELECT min(load_id) FROM batchstream.loads WHERE dataset = %s AND load_id > %s AND state <> 'failed'",
        [contract.name, load_id],
    ).fetchone()
    if newer and newer[0]:
        raise LoadError(
            f"load {newer[0]} of {contract.name} is newer than load {load_id}: its rows would be lost; run again instead"
        )
    table = templates.landing(contract, load_id).as_string(connection)
    if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
        raise LoadError(f"the landing of load {load_id} is removed already: start a new run")


def _land_rejected(connection: psycopg.Connection, contract: Contract, load_id: int) -> tuple[int, str | None]:
    """Land what is accepted now; return how many, and why the first of the others is not."""
    codec = RecordCodec(contract)
    rows = connection.execute(
        'SELECT partition, "offset", position, record_id, raw FROM batchstream.quarantine '
        'WHERE load_id = %s AND replayed_at IS NULL ORDER BY partition, "offset", position',
        [load_id],
    ).fetchall()
    insert = sql.SQL("INSERT INTO {} VALUES ({})").format(
        templates.landing(contract, load_id), sql.SQL(", ").join([sql.Placeholder()] * (len(contract.columns) + 1))
    )
    landed, refused = 0, None
    for partition, offset, position, record_id, raw in rows:
        whole = Misfit("the message was rejected whole and can't be replayed")
        found = whole if record_id is None else codec.examine(raw.encode())
        if isinstance(found, Misfit):
            refused = refused or f"still rejected, at partition {partition} offset {offset} position {position}: {found.reason}"
            continue
        connection.execute(insert, [record_id, *found])
        connection.execute(
            "UPDATE batchstream.quarantine SET replayed_at = clock_timestamp() WHERE load_id = %s AND partition = %s "
            'AND "offset" = %s AND position = %s',
            [load_id, partition, offset, position],
        )
        landed += 1
    # A contract may allow some rejected records; its rule is for the check to apply.
    return landed, refused if landed == 0 else None


def _first_red_check(connection: psycopg.Connection, contract: Contract, load_id: int) -> str | None:
    for check in (templates.row_count_check, templates.column_check):
        row = connection.execute(check(contract, load_id)).fetchone()
        if row is None or not row[0]:
            return str(row and row[1])
    return None
