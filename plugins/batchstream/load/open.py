"""Opens a load: source and tables are fit, no other load of the dataset is in progress, the ledger has a row."""

import logging
import time
from pathlib import Path
from typing import Any

import psycopg

from batchstream.contract import Contract, contract_text, parse_contract
from batchstream.contract.odcs import read_tables
from batchstream.contract.own_types import all_known
from batchstream.errors import (
    BatchstreamError,
    BusyError,
    ContractError,
    LoadError,
    SinkError,
    SourceAwaitedError,
    SourceError,
    SourceMissingError,
    errors_about,
)
from batchstream.load.spool import Places, look_at
from batchstream.postgres import housekeeping, opening, own_types, server, tables
from batchstream.postgres.connection import PostgresSettings, connect
from batchstream.postgres.failures import postgres_errors
from batchstream.postgres.opening import LEASE_SECONDS, Busy, Run
from batchstream.postgres.own_types import OwnTypes
from batchstream.records.shown import listed
from batchstream.records.source_files import is_there
from batchstream.records.source_reader import check_header

POLL_SECONDS = 1
SECONDS_A_MINUTE = 60

log = logging.getLogger(__name__)


def open_load(
    owner: PostgresSettings,
    contract: Contract,
    run: Run,
    *,
    wait_seconds: float = 0,
    waited_seconds: float = 0,
    places: Places | None = None,
) -> int:
    """Open a load for a run.

    A load of another run that is in progress is waited for. One whose run has ended or shows no sign of life was killed: it
    is marked as failed, so that whatever is left of it is refused.

    Args:
        owner: Connection of the owning role.
        contract: What to load; its file is read once more, and that text is the load's from here on.
        run: For whom.
        places: Opens the place of a source that lies elsewhere.
        wait_seconds: How long to wait for another load; its silence may be waited for longer, `LEASE_SECONDS`.
        waited_seconds: How long this run has waited already, by the calls before this one.

    Returns:
        The load's id.

    Raises:
        BusyError: Another load is still in progress after that time: try again later.
        SourceAwaitedError: The source is not there, and its contract says to wait longer than the run has: try again later.
        BatchstreamError: Source, contract or server are not fit for a load; the ledger has a row that says so, if it can.
    """
    with (
        errors_about(dataset=contract.name),
        connect(owner, application_name="batchstream open_load") as connection,
        postgres_errors("opening a load", connection),
    ):
        server.require_fit(connection, owner)
        try:
            text, contract = _read_again(contract)
            if types := own_types.find(connection, contract):
                contract = parse_contract(text, contract.path, contract.name, all_known(types))
            contract = contract.of_run(run.words)
            _require_source(contract, places, waited_seconds)
            with postgres_errors("making its tables", connection):
                tables.make_tables(connection, contract)
        except (SinkError, SourceAwaitedError):
            # Tried again, or there is no ledger that could be told.
            raise
        except BatchstreamError as error:
            _note_refused(connection, contract, run, str(error))
            raise
        load_id = _wait_and_open(connection, contract, text, types, run, wait_seconds)
        housekeeping.clean_up(connection, contract)
    return load_id


def _require_source(contract: Contract, places: Places | None, waited_seconds: float) -> None:
    """See that the source is there and fit to be read; step back while one is missing that is to be waited for."""
    source = contract.source
    try:
        if not isinstance(source.path, Path):
            look_at(contract, places)
        elif source.wait_minutes and not is_there(source):
            raise SourceMissingError(f"{source.path}: the source is not there")
        else:
            check_header(contract.incoming)
    except SourceMissingError as error:
        if not source.wait_minutes:
            raise
        if waited_seconds < source.wait_minutes * SECONDS_A_MINUTE:
            raise SourceAwaitedError(
                f"{source.path}: the source is not there yet; sourceWaitMinutes is {source.wait_minutes}"
            ) from error
        raise SourceError(
            f"{source.path}: the source is not there after {waited_seconds / SECONDS_A_MINUTE:.0f} minutes, and "
            f"sourceWaitMinutes is {source.wait_minutes}; put it there and start a new run, or wait longer"
        ) from error


def _read_again(contract: Contract) -> tuple[str, Contract]:
    """The contract's text, and what it says: the file may have changed since the DAG was made of it."""
    text = contract_text(contract.path)
    contracts, mistakes = read_tables(text, contract.path)
    found = next((one.contract for one in contracts if one.contract.name == contract.name), None)
    if found is None and mistakes:
        # Of which table they are need not be known, as its name may be what is wrong.
        raise ContractError(*mistakes)
    if found is None:
        raise ContractError(
            f"{contract.path}: is the contract of {listed([one.contract.name for one in contracts])} by now, this DAG is that of "
            f"'{contract.name}'; wait until Airflow has read it, and run that DAG"
        )
    return text, found


def _wait_and_open(
    connection: psycopg.Connection, contract: Contract, text: str, types: OwnTypes, run: Run, wait_seconds: float
) -> int:
    begun = time.monotonic()
    first_seen: dict[int, tuple[Any, float]] = {}
    told: int | None = None
    while True:
        now = time.monotonic()
        silent = {load_id: seen for load_id, (seen, since) in first_seen.items() if now - since >= LEASE_SECONDS}
        found = opening.try_open(connection, contract, run, text, silent, types)
        if not isinstance(found, Busy):
            return found
        if first_seen.get(found.load_id, (None,))[0] != found.seen_at:
            first_seen[found.load_id] = (found.seen_at, now)
        if now - begun > max(wait_seconds, LEASE_SECONDS + POLL_SECONDS if found.until_silent and wait_seconds else 0):
            raise BusyError(f"{found.description}; waited {now - begun:.0f} s: run again when it has ended")
        if told != found.load_id:
            log.info("waiting: %s", found.description)
            told = found.load_id
        time.sleep(POLL_SECONDS)


def _note_refused(connection: psycopg.Connection, contract: Contract, run: Run, reason: str) -> None:
    try:
        opening.note_refused(connection, contract, run, reason)
    except (psycopg.Error, LoadError) as error:
        # Its tables may be what is missing; the task says the reason itself.
        log.warning("the ledger could not be told: %s", error)
