"""``batchstream``: the commands behind ``make``."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg

from batchstream.cli.extras import require_extras
from batchstream.cli.output import ask, describe
from batchstream.errors import BatchstreamError
from batchstream.local import backup, runs
from batchstream.local.console import complain, say
from batchstream.local.errors import ServiceError
from batchstream.local.installation import Installation
from batchstream.local.postgres import client
from batchstream.paths import COMMAND
from batchstream.postgres import names

PASSED_ON = ("exec", "psql")
"""Commands whose arguments belong to another program, options included; argparse would take those that begin with a dash."""

ROLES = {"reader": names.READER, "owner": names.OWNER}


def main() -> int:
    """Run one command; the exit status is 0, or 1 with a message."""
    own, passed_on = _split(sys.argv[1:])
    arguments = parser().parse_args(own)
    arguments.passed_on = passed_on
    try:
        require_extras(arguments.command)
        return COMMANDS[arguments.command](arguments)
    except BatchstreamError as error:
        complain(str(error))
        return 1
    except (psycopg.Error, OSError) as error:
        logs = Installation().state / "logs"
        complain(f"{type(error).__name__}: {' '.join(str(error).split())}; look into {logs}, and run the command again")
        return 1
    except KeyboardInterrupt:
        complain("interrupted before it was done; run the command again")
        return 130


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those for another program: all after ``exec`` or ``psql`` but a ``--role`` that comes first."""
    if not words or words[0] not in PASSED_ON:
        return words, []
    end = 1
    if words[0] == "psql" and words[1:2] == ["--role"]:
        end = 3
    elif words[0] == "psql" and words[1:] and words[1].startswith("--role="):
        end = 2
    rest = words[end:]
    return words[:end], rest[1:] if rest[:1] == ["--"] else rest


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    made = argparse.ArgumentParser(prog="batchstream", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, help=(function.__doc__ or "").partition("\n")[0])
        if name == "run":
            command.add_argument("dataset", nargs="?", default="housing", help="name of a contract (default: housing)")
            command.add_argument("--allow-changes", action="store_true", help="publish also if that deletes most of the table")
        elif name == "replay":
            command.add_argument("load_id", type=int, help="the load whose quarantine is to be replayed")
        elif name == "init":
            command.add_argument("folder", type=Path, help="a new or an empty one")
        elif name == "contract":
            actions = "check: find mistakes, show what contracts make; new: write one; diff: compare an old one with a new one"
            command.add_argument("action", choices=("check", "new", "diff"), help=actions)
            files = "contracts, or folders of them (default: dags/contracts); of diff, two contracts; of new, a data file, its "
            command.add_argument("files", nargs="*", help=f"{files}http(s) URL, or postgresql://user@host/database with --table")
            command.add_argument("--table", help="of new: the table of PostgreSQL that a contract is wanted for")
            command.add_argument("--connection", metavar="ID", help="of new: Airflow's connection to the table's database")
            command.add_argument("--json", action="store_true", help="print one JSON document")
            command.add_argument("--output", type=Path, help="where new writes (default: dags/contracts/NAME.odcs.yaml)")
        elif name == "transform":
            command.add_argument("action", choices=("preview",), help="show inputs and results of the first records")
            command.add_argument("dataset", help="name of a contract")
        elif name == "clean":
            command.add_argument("--yes", action="store_true", help="don't ask")
        elif name == "psql":
            command.add_argument("--role", choices=ROLES, default="reader", help="the owner may alter tables")
        elif name in ("backup", "restore"):
            command.add_argument("file", type=Path, help="a new file" if name == "backup" else "a file that backup has made")
    return made


def _up(_: argparse.Namespace) -> int:
    """Start Kafka and PostgreSQL of this clone."""
    installation = Installation()
    installation.up()
    for line in describe(installation):
        say(line)
    return 0


def _down(_: argparse.Namespace) -> int:
    """Stop what was started."""
    Installation().down()
    say("Kafka and PostgreSQL are stopped")
    return 0


def _clean(arguments: argparse.Namespace) -> int:
    """Stop, and remove everything that was generated, data included, after asking."""
    installation = Installation()
    if installation.has_data() and not arguments.yes:
        question = f"Remove {installation.state} with all loaded tables, messages and logs?"
        answer = ask(question)
        if answer is None:
            raise ServiceError(f"{question} Nobody is there to answer: 'batchstream clean --yes' (make clean YES=1) removes it")
        if not answer:
            say("nothing was removed")
            return 1
    installation.clean()
    say("everything below .batchstream is removed")
    return 0


def _psql(arguments: argparse.Namespace) -> int:
    """Open psql on kafka_streaming, as the reading role or with --role owner; everything else is passed to it."""
    installation = Installation()
    installation.up()
    environment = {**installation.environment(), **installation.client_environment(ROLES[arguments.role])}
    program = str(client("psql"))
    return os.execve(program, [program, *arguments.passed_on], environment)  # noqa: S606 - replaces this process


def _exec(arguments: argparse.Namespace) -> int:
    """Run a command, such as airflow, in the environment of this clone's services."""
    installation = Installation()
    installation.up()
    runs.fail_abandoned(installation)
    environment = installation.environment()
    command = arguments.passed_on
    found = shutil.which(command[0], path=environment["PATH"]) if command else None
    if found is None:
        complain(f"no such command: {' '.join(command) or '(none given)'}")
        return 1
    runs.hold_for_command(installation)
    return os.execve(found, command, environment)  # noqa: S606 - replaces this process


def _run(arguments: argparse.Namespace) -> int:
    """Reload a dataset once, and show what happened."""
    from batchstream.cli.run import run

    return run(arguments.dataset, {"allow_changes": True} if arguments.allow_changes else {})


def _ui(_: argparse.Namespace) -> int:
    """Start Airflow's scheduler and web interface until Ctrl-C."""
    from batchstream.cli.ui import serve

    return serve(Installation())


def _replay(arguments: argparse.Namespace) -> int:
    """Replay the quarantine of a load, after its cause is mended."""
    from batchstream.cli.replay import replay

    return replay(Installation(), arguments.load_id)


def _backup(arguments: argparse.Namespace) -> int:
    """Write all data sets and the ledger into a new file; loads may go on meanwhile."""
    installation = Installation()
    installation.up()
    roles = backup.backup(installation, arguments.file)
    say(f"{arguments.file}: {arguments.file.stat().st_size:,} bytes, without passwords, messages and Airflow's records of runs")
    if roles:
        say(f"roles of your own have rights in it: {', '.join(roles)}; create them where you restore it, before")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    """Bring the content of a backup into a clone without data sets."""
    installation = Installation()
    installation.up()
    backup.restore(installation, arguments.file)
    say(f"{arguments.file} is restored; {COMMAND} run loads the next data")
    return 0


def _init(arguments: argparse.Namespace) -> int:
    """Write a project of your own: DAG files, a contract, sample data, a test, a CI workflow."""
    from batchstream.cli.init import init

    return init(arguments.folder)


def _contract(arguments: argparse.Namespace) -> int:
    """Write the contract of a data file, a URL or a table; find mistakes of contracts, and show what they make; compare two."""
    from batchstream.cli.contract import check
    from batchstream.cli.contract_diff import diff
    from batchstream.cli.contract_new import Wanted, write

    if arguments.action == "new":
        return write(Wanted(arguments.files, arguments.table, arguments.connection, arguments.output))
    files = [Path(file) for file in arguments.files]
    return diff(files) if arguments.action == "diff" else check(files, as_json=arguments.json)


def _transform(arguments: argparse.Namespace) -> int:
    """Show what Spark computes of the first records of a source, without a load."""
    from batchstream.cli.transform_preview import preview

    return preview(arguments.dataset)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": _up,
    "run": _run,
    "ui": _ui,
    "replay": _replay,
    "contract": _contract,
    "transform": _transform,
    "init": _init,
    "psql": _psql,
    "exec": _exec,
    "backup": _backup,
    "restore": _restore,
    "down": _down,
    "clean": _clean,
}


if __name__ == "__main__":
    sys.exit(main())
