"""Replays the quarantine of a failed load: lands what keeps the contract now, checks the load again, publishes it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from batchstream.contract import Contract, contract_text, parse_contract
from batchstream.contract.own_types import all_known
from batchstream.errors import BatchstreamError, ContractError, LoadError, errors_about
from batchstream.load import publish, verify
from batchstream.load.engines import Engines
from batchstream.postgres import columns, landing_table, ledger, locks, own_types, quarantined, relations, source_files
from batchstream.postgres.connection import connect
from batchstream.postgres.failures import postgres_errors
from batchstream.postgres.landing import decoder
from batchstream.postgres.own_types import OwnTypes
from batchstream.records.again import SecondJudge
from batchstream.records.codec import Misfit, RecordCodec
from batchstream.records.messages import Computed, Message

Compute = Callable[[Contract, Sequence[bytes]], Sequence[Computed]]
"""Has Spark compute what the contract derives of records; see `batchstream.spark.local_session`."""


def replay_load(engines: Engines, load_id: int, compute: Compute) -> str:
    """Land the rejected records of a failed load that its contract, mended meanwhile, accepts now; then check and publish.

    The load is pinned to the contract as its file is now, if that has the columns and types with which its other records have
    landed. No other contract is looked at.

    Args:
        engines: Where it is.
        load_id: The load.
        compute: Asked only if the contract has something for Spark to compute.

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
        contract, text, types = _mended(connection, ledger.read(connection, load_id))
        known["dataset"] = contract.name
        with connection.transaction():
            locks.opening(connection, contract.name)
            load = ledger.read(connection, load_id)
            _require_replayable(connection, contract, load)
            columns.compare_landing(connection, contract, load_id)
            landed, refused = _land_rejected(connection, contract, load_id, compute)
            ledger.reopen(connection, load_id, landed, contract.version, text, hashlib.sha256(text.encode()).hexdigest())
            ledger.note_own_types(connection, load_id, types)
        try:
            with ledger.working_on(connection, load_id):
                passed, message = verify.verify_load(engines, load_id)
                if passed:
                    published = publish.publish_load(engines, load_id)
                    ledger.close(connection, load_id, reason=None)
                    return f"load {load_id} of {contract.name}: {landed} records replayed, published: {published._asdict()}"
        except (BatchstreamError, psycopg.Error) as error:
            _close(engines, load_id, str(error))
            raise
        reason = message if landed or refused is None else f"{refused}; {message}"
        ledger.close(connection, load_id, reason=reason)
        raise LoadError(f"load {load_id} of {contract.name}: {landed} records replayed, nothing was published: {reason}")


def _close(engines: Engines, load_id: int, reason: str) -> None:
    """Close a load whose replay failed midway: left open, it could not be replayed again when the cause is mended."""
    # The server may be what failed; then the next run gives the load up.
    with suppress(BatchstreamError, psycopg.Error), connect(engines.owner, application_name="batchstream replay") as connection:
        ledger.close(connection, load_id, reason=reason)


def _mended(connection: psycopg.Connection, load: Mapping[str, Any]) -> tuple[Contract, str, OwnTypes]:
    """The contract that a load began with, as its file and the types of the database are now."""
    path = Path(load["contract_path"] or "")
    try:
        text = contract_text(path)
    except ContractError as error:
        raise LoadError(f"load {load['load_id']}: its contract is gone: {error}; start a new run") from error
    types = own_types.find(connection, parse_contract(text, path, load["dataset"]))
    return parse_contract(text, path, load["dataset"], all_known(types)), text, types


def _require_replayable(connection: psycopg.Connection, contract: Contract, load: Mapping[str, Any]) -> None:
    load_id = load["load_id"]
    if load["dataset"] != contract.name:
        raise LoadError(f"load {load_id} is of '{load['dataset']}', the contract is that of '{contract.name}'")
    if load["state"] != ledger.State.FAILED or load["landed_at"] is None:
        raise LoadError(f"load {load_id} is {load['state']}; only a load that landed and then failed can be replayed")
    newer = ledger.newer(connection, contract.name, load_id)
    if newer is not None:
        raise LoadError(
            f"load {newer} of {contract.name} is newer than load {load_id}: its rows would be lost; run again instead"
        )
    if not relations.exists(connection, relations.landing(contract, load_id)):
        raise LoadError(f"the landing of load {load_id} is removed already: start a new run")


def _land_rejected(connection: psycopg.Connection, contract: Contract, load_id: int, compute: Compute) -> tuple[int, str | None]:
    """Land what is accepted now; return how many, and why the first of the others is not."""
    incoming = contract.incoming
    again = SecondJudge(incoming, RecordCodec(incoming), source_files.headers(connection, load_id))
    elements: dict[int, bytes] = {}
    refused: str | None = None
    records = {record.quarantine_id: record for record in quarantined.read(connection, load_id)}
    for quarantine_id, record in records.items():
        found = _element(record, again)
        if isinstance(found, Misfit):
            refused = refused or f"still rejected, at {record.place}: {found.reason}"
        else:
            elements[quarantine_id] = found
    computed = compute(contract, list(elements.values())) if contract.transform and elements else [None] * len(elements)
    decode = decoder(contract)
    rows: dict[int, tuple[Any, ...]] = {}
    filtered = []
    for (quarantine_id, element), one in zip(elements.items(), computed, strict=True):
        record = records[quarantine_id]
        decoded = decode(Message("", 0, 0, None, b"[" + element + b"]", [one]), record.record_id or 0)
        if decoded.rejected:
            refused = refused or f"still rejected, at {record.place}: {decoded.rejected[0].reason}"
        elif decoded.filtered:
            filtered.append(quarantine_id)
        else:
            ((*values, record_id),) = decoded.records
            rows[quarantine_id] = (record_id, *values)
    by_domains = landing_table.insert(connection, contract, load_id, list(rows.values())) if rows else {}
    landed = [quarantine_id for place, quarantine_id in enumerate(rows) if place not in by_domains]
    quarantined.note_replayed(connection, landed)
    quarantined.note_replayed(connection, filtered, filtered=True)
    refused = refused or next((f"still rejected: {reason}" for reason in by_domains.values()), None)
    return len(landed), refused


def _element(record: quarantined.Quarantined, again: SecondJudge) -> bytes | Misfit:
    """A record as a message holds it, or why it is still rejected."""
    if record.record_id is None:
        return Misfit("the message was rejected whole and can't be replayed; start a new run")
    if record.is_message:
        return record.raw.encode()
    return again.element(record.raw, record.path, record.line, record.record_id)
