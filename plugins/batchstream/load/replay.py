"""Replays the quarantine of a failed load: lands what keeps the contract now, checks the load again, publishes it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from batchstream.contract import Contract, contract_text, parse_contract
from batchstream.errors import ContractError, LoadError, errors_about
from batchstream.load import publish, verify
from batchstream.load.engines import Engines
from batchstream.postgres import columns, ledger, locks, relations
from batchstream.postgres.connection import connect
from batchstream.postgres.failures import postgres_errors
from batchstream.records.again import SecondJudge
from batchstream.records.codec import Misfit, RecordCodec


def replay_load(engines: Engines, load_id: int) -> str:
    """Land the rejected records of a failed load that its contract, mended meanwhile, accepts now; then check and publish.

    The load is pinned to the contract as its file is now, if that has the columns and types with which its other records have
    landed. No other contract is looked at.

    Args:
        engines: Where it is.
        load_id: The load.

    Returns:
        What was done, in a sentence.

    Raises:
        LoadError: The load is not one that may be replayed, or a check is still red; then the target is as it was.
    """
    with (
        errors_about(load_id=load_id) as known,
        connect(engines.owner, application_name="batchstream replay") as connection,
        postgres_errors(f"load {load_id}: its replay", connection),
    ):
        contract, text = _mended(ledger.read(connection, load_id))
        known["dataset"] = contract.name
        with connection.transaction():
            locks.opening(connection, contract.name)
            load = ledger.read(connection, load_id)
            _require_replayable(connection, contract, load)
            columns.compare_landing(connection, contract, load_id)
            landed, refused = _land_rejected(connection, contract, load_id)
            ledger.reopen(connection, load_id, landed, contract.version, text, hashlib.sha256(text.encode()).hexdigest())
        with ledger.working_on(connection, load_id):
            passed, message = verify.verify_load(engines, load_id)
            if passed:
                published = publish.publish_load(engines, load_id)
                ledger.close(connection, load_id, reason=None)
                return f"load {load_id} of {contract.name}: {landed} records replayed, published: {published._asdict()}"
        reason = message if landed or refused is None else f"{refused}; {message}"
        ledger.close(connection, load_id, reason=reason)
        raise LoadError(f"load {load_id} of {contract.name}: {landed} records replayed, nothing was published: {reason}")


def _mended(load: Mapping[str, Any]) -> tuple[Contract, str]:
    """The contract that a load began with, as its file is now."""
    path = Path(load["contract_path"] or "")
    try:
        text = contract_text(path)
    except ContractError as error:
        raise LoadError(f"load {load['load_id']}: its contract is gone: {error}; start a new run") from error
    return parse_contract(text, path), text


def _require_replayable(connection: psycopg.Connection, contract: Contract, load: Mapping[str, Any]) -> None:
    load_id = load["load_id"]
    if load["dataset"] != contract.name:
        raise LoadError(f"load {load_id} is of '{load['dataset']}', the contract is that of '{contract.name}'")
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
    table = relations.landing(contract, load_id).as_string(connection)
    if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
        raise LoadError(f"the landing of load {load_id} is removed already: start a new run")


def _land_rejected(connection: psycopg.Connection, contract: Contract, load_id: int) -> tuple[int, str | None]:
    """Land what is accepted now; return how many, and why the first of the others is not."""
    codec = RecordCodec(contract)
    again = SecondJudge(contract, codec)
    rows = connection.execute(
        "SELECT quarantine_id, coalesce(source_path || ': line ' || line, format('partition %%s offset %%s position %%s', "
        'partition, "offset", position)), record_id, source_path IS NULL, line, raw FROM batchstream.quarantine AS q '
        "WHERE q.load_id = %s AND replayed_at IS NULL AND (source_path IS NULL OR q.attempt = "
        "(SELECT l.attempt FROM batchstream.loads AS l WHERE l.load_id = q.load_id)) "
        'ORDER BY partition, "offset", position, line',
        [load_id],
    ).fetchall()
    names = ["record_id", *(column.name for column in contract.columns)]
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        relations.landing(contract, load_id),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join([sql.Placeholder()] * len(names)),
    )
    landed, refused = 0, None
    for quarantine_id, place, record_id, is_message, line, raw in rows:
        found: tuple[Any, ...] | Misfit
        if record_id is None:
            found = Misfit("the message was rejected whole and can't be replayed; start a new run")
        elif is_message:
            found = codec.examine(raw.encode())
        else:
            found = again.examine(raw, line, record_id)
        if isinstance(found, Misfit):
            refused = refused or f"still rejected, at {place}: {found.reason}"
            continue
        connection.execute(insert, [record_id, *found])
        connection.execute(
            "UPDATE batchstream.quarantine SET replayed_at = clock_timestamp() WHERE quarantine_id = %s", [quarantine_id]
        )
        landed += 1
    return landed, refused
