"""``make run``: one reload by ``airflow dags test``, a line per step, and a summary out of the ledger and the table."""

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from rich.table import Table

from batchstream.cli.output import complain, console, describe, say
from batchstream.contract import Contract
from batchstream.contract.folder import contract_of, require_unique
from batchstream.postgres import swap, templates
from batchstream.services.installation import Installation

SHOWN_ROWS = 3
SHOWN_CHARACTERS = 20
_STARTED = re.compile(r"\[DAG TEST\] starting task_id=(\w+)")
_ENDED = re.compile(r"\[DAG TEST\] end task task_id=(\w+)")


def run(dataset: str) -> int:
    """Reload a dataset; the exit status is that of ``airflow dags test``."""
    contract = contract_of(dataset)
    require_unique(contract)
    installation = Installation()
    begun = time.monotonic()
    installation.up()
    for line in describe(installation):
        say(line)
    say(f"set-up {time.monotonic() - begun:.1f} s\n\n{contract.dag_id}, by airflow dags test:")
    log_file = installation.state / "logs" / f"{contract.dag_id}.log"
    steps, status = dags_test(installation, contract, log_file)
    say("")
    with installation.postgres.connect("kafka_streaming") as connection:
        load = _last_load(connection, contract)
        if load is not None:
            show(connection, contract, load, steps)
    _hints(installation, contract, log_file)
    if status:
        complain((load or {}).get("reason") or f"the run failed before a load was opened; see {log_file}")
    return status


def dags_test(installation: Installation, contract: Contract, log_file: Path) -> tuple[dict[str, float], int]:
    """Run the DAG; its output goes to the log file, a line per task to the console.

    Returns:
        Seconds of each task, and the command's exit status.
    """
    steps: dict[str, float] = {}
    begun: dict[str, float] = {}
    with (
        log_file.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            ["airflow", "dags", "test", contract.dag_id],
            env=installation.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            log.flush()
            if found := _STARTED.search(line):
                begun[found[1]] = time.monotonic()
            elif (found := _ENDED.search(line)) and found[1] in begun:
                steps[found[1]] = time.monotonic() - begun[found[1]]
                say(f"  {found[1]:<18}{steps[found[1]]:6.1f} s")
    return steps, process.returncode


def _last_load(connection: psycopg.Connection, contract: Contract) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        if cursor.execute("SELECT to_regclass('batchstream.loads')").fetchone() == {"to_regclass": None}:
            return None
        return cursor.execute(
            "SELECT * FROM batchstream.loads WHERE dataset = %s ORDER BY load_id DESC LIMIT 1", [contract.name]
        ).fetchone()


def show(connection: psycopg.Connection, contract: Contract, load: dict[str, Any], steps: dict[str, float]) -> None:
    """Print what the ledger says of a load, and what readers see."""
    table = Table(title=f"load {load['load_id']} of {contract.name}: {load['state']}", title_justify="left", show_header=False)
    for label, value in (
        ("seconds, all steps", f"{sum(steps.values()):.1f}"),
        ("produced", f"{_n(load['produced_batches'])} batches, {_n(load['produced_records'])} records"),
        ("consumed", f"{_n(load['consumed_batches'])} batches, {_n(load['consumed_records'])} records"),
        ("landed", f"{_n(load['landed_records'])} records"),
        ("quarantined", f"{_n(load['quarantined_records'])} records"),
        (
            "published",
            f"{_n(load['inserted_rows'])} inserted, {_n(load['updated_rows'])} updated, {_n(load['deleted_rows'])} deleted",
        ),
    ):
        table.add_row(label, value)
    # No load may have been published yet.
    has_rows = swap.kind_of(connection, templates.target(contract)) is not None
    for label, value in _measures(connection, contract) if has_rows else []:
        table.add_row(label, value)
    console().print(table)
    if has_rows:
        _show_rows(connection, contract)


def _n(value: object) -> str:
    return "-" if value is None else str(value)


def _measures(connection: psycopg.Connection, contract: Contract) -> list[tuple[str, str]]:
    """Number of rows, and the mean of the first indexed column: the one that readers ask for."""
    target = templates.target(contract)
    count = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(target)).fetchone()
    found = [("COUNT(*)", _n(count and count[0]))]
    for column in contract.columns:
        if column.indexed and column.type.python is float:
            mean = connection.execute(
                sql.SQL("SELECT avg({})::numeric(20,6) FROM {}").format(sql.Identifier(column.name), target)
            ).fetchone()
            found.append((f"AVG({column.name})", "NULL" if mean is None or mean[0] is None else str(mean[0])))
    return found


def _show_rows(connection: psycopg.Connection, contract: Contract) -> None:
    names = list(dict.fromkeys([contract.key_column, *(column.name for column in contract.columns)]))
    rows = connection.execute(
        sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT {}").format(
            sql.SQL(", ").join(map(sql.Identifier, names)),
            templates.target(contract),
            sql.Identifier(contract.key_column),
            sql.Literal(SHOWN_ROWS),
        )
    ).fetchall()
    cells = [names, *([_shown(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    # Not a drawn table: a dataset may have more columns than a terminal, and plain lines survive being wrapped or copied.
    say(f"first rows of {contract.name}:")
    for row in cells:
        say("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _shown(value: object) -> str:
    text = "NULL" if value is None else repr(value)[1:-1] if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def _hints(installation: Installation, contract: Contract, log_file: Path) -> None:
    say(
        f"look further:  make psql            (127.0.0.1:{installation.ports['postgres']}/kafka_streaming, table {contract.name})"
    )
    say("               make ui              (Airflow's web interface)")
    say(f"logs:          {log_file}")
    say(f"               {installation.state / 'logs'}{'/{spark,kafka,postgres}.log'}")
