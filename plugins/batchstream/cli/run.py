"""``make run``: one reload by ``airflow dags test``, and what became of it."""

import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from types import FrameType

import psycopg

from batchstream.cli.dags_test import Outcome, dags_test
from batchstream.cli.output import describe
from batchstream.cli.show import show_load, show_what_stays
from batchstream.cli.verdict import Verdict, judge
from batchstream.contract import Contract
from batchstream.contract.folder import contract_of, require_unique
from batchstream.errors import BatchstreamError
from batchstream.local import housekeeping, runs
from batchstream.local.console import complain, say
from batchstream.local.installation import Installation
from batchstream.local.watch import watching
from batchstream.paths import COMMAND
from batchstream.postgres import names
from batchstream.postgres.connection import connect


def run(dataset: str, parameters: Mapping[str, object]) -> int:
    """Reload a data set, with parameters of its DAG; 0 only if this run has published it."""
    contract = contract_of(dataset)
    require_unique(contract)
    # As Ctrl-C, which stops the run in good order; by default only this process would end.
    signal.signal(signal.SIGTERM, _interrupt)
    installation = Installation()
    begun = time.monotonic()
    installation.up()
    runs.fail_abandoned(installation)
    for line in describe(installation):
        say(line)
    say(f"set-up {time.monotonic() - begun:.1f} s\n\n{contract.dag_id}, by airflow dags test:")
    try:
        outcome = _reload_twice_at_most(installation, contract, parameters)
    except KeyboardInterrupt:
        complain("the run was interrupted, and is marked as failed: run again")
        return 130
    reason = _tell(installation, contract, outcome)
    try:
        if not installation.stopped_services():
            housekeeping.tidy(installation)
    finally:
        if reason:
            complain(reason)
    return 1 if reason else 0


def _reload_twice_at_most(installation: Installation, contract: Contract, parameters: Mapping[str, object]) -> Outcome:
    with watching(installation):
        outcome, crashed = _reload(installation, contract, parameters)
        # Airflow's own records are in the same server, so no retry of a task helps.
        if crashed and outcome.status and not installation.stopped_services():
            say(f"\nPostgreSQL crashed while the run worked, see {installation.postgres.daemon.log_file}; the run begins anew:")
            outcome, _ = _reload(installation, contract, parameters)
    return outcome


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _reload(installation: Installation, contract: Contract, parameters: Mapping[str, object]) -> tuple[Outcome, bool]:
    """Run the DAG once; also tell whether PostgreSQL crashed or was stopped meanwhile."""
    try:
        # A connection that every crash of the server ends, also one from which it recovers by itself.
        with installation.postgres.connect() as witness:
            witness.autocommit = True
            outcome = dags_test(installation, contract, parameters)
            crashed = _is_broken(witness)
    finally:
        if not installation.stopped_services():
            with installation.changing_services():
                installation.start_services()
            runs.fail_abandoned(installation, also_of_commands=False)
    return outcome, crashed


def _is_broken(witness: psycopg.Connection) -> bool:
    try:
        witness.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def _tell(installation: Installation, contract: Contract, outcome: Outcome) -> str | None:
    """Show what the run did; return its reason if it is red, which is to be the last line."""
    say("")
    if stopped := installation.stopped_services():
        return (
            f"{' and '.join(stopped)}: stopped while the run worked, as {COMMAND} down does; run again "
            f"(everything that was printed: {outcome.log_file})"
        )
    with ExitStack() as opened:
        ledger = None
        try:
            ledger = opened.enter_context(connect(installation.engines().owner, application_name="batchstream run"))
        except BatchstreamError as error:
            say(f"the ledger can't be looked at: {error}")
        verdict = judge(installation, ledger, contract, outcome)
        if ledger is not None:
            try:
                _show(ledger, contract, verdict, outcome)
            except psycopg.Error as error:
                say(f"the table of {contract.name} can't be shown: {error}")
    _hints(installation, contract, outcome)
    return verdict.reason


def _show(connection: psycopg.Connection, contract: Contract, verdict: Verdict, outcome: Outcome) -> None:
    if verdict.load is not None:
        show_load(connection, contract, verdict.load, sum(outcome.seconds.values()))
    if verdict.load is None or verdict.load["published_at"] is None:
        show_what_stays(connection, contract)


def _hints(installation: Installation, contract: Contract, outcome: Outcome) -> None:
    where = f"127.0.0.1:{installation.ports['postgres']}/{names.DATABASE}"
    say(f"look further:  {COMMAND + ' psql':<20} ({where}, table {contract.name})")
    say(f"               {COMMAND + ' ui':<20} (Airflow's web interface)")
    say(f"logs:          {outcome.log_file}")
    say(f"               {installation.state / 'logs'}{'/{spark,kafka,postgres}.log'}")
