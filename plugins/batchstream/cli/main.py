"""``batchstream``: the commands behind ``make``."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable

from batchstream.cli.output import complain, describe, say
from batchstream.errors import BatchstreamError
from batchstream.services.installation import Installation


def main() -> int:
    """Run one command; the exit status is 0, or 1 with a message."""
    parser = argparse.ArgumentParser(prog="batchstream", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, help=(function.__doc__ or "").partition("\n")[0])
        if name == "run":
            command.add_argument("dataset", nargs="?", default="housing", help="name of a contract (default: housing)")
        if name == "replay":
            command.add_argument("load_id", type=int, help="the load whose quarantine is to be replayed")
        if name in ("exec", "psql"):
            command.add_argument("arguments", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    try:
        return COMMANDS[arguments.command](arguments)
    except BatchstreamError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


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


def _clean(_: argparse.Namespace) -> int:
    """Stop, and remove everything that was generated, data included."""
    Installation().clean()
    say("everything below .batchstream is removed")
    return 0


def _psql(arguments: argparse.Namespace) -> int:
    """Open psql on kafka_streaming as the reading role."""
    installation = Installation()
    installation.up()
    client = shutil.which("psql")
    if client is None:
        complain("psql is not installed: apt-get install postgresql-client")
        return 1
    environment = {**installation.environment(), **installation.reader_environment()}
    return os.execve(client, ["psql", *arguments.arguments], environment)  # noqa: S606 - replaces this process


def _exec(arguments: argparse.Namespace) -> int:
    """Run a command, such as airflow, in the environment of this clone's services."""
    installation = Installation()
    installation.up()
    environment = installation.environment()
    command = arguments.arguments[1:] if arguments.arguments[:1] == ["--"] else arguments.arguments
    found = shutil.which(command[0], path=environment["PATH"]) if command else None
    if found is None:
        complain(f"no such command: {' '.join(command) or '(none given)'}")
        return 1
    return os.execve(found, command, environment)  # noqa: S606 - replaces this process


def _run(arguments: argparse.Namespace) -> int:
    """Reload a dataset once, and show what happened."""
    from batchstream.cli.run import run

    return run(arguments.dataset)


def _ui(_: argparse.Namespace) -> int:
    """Start Airflow's scheduler and web interface until Ctrl-C."""
    from batchstream.cli.ui import serve

    return serve(Installation())


def _replay(arguments: argparse.Namespace) -> int:
    """Replay the quarantine of a load, after its cause is mended."""
    from batchstream.cli.replay import replay

    return replay(Installation(), arguments.load_id)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": _up,
    "run": _run,
    "ui": _ui,
    "replay": _replay,
    "psql": _psql,
    "exec": _exec,
    "down": _down,
    "clean": _clean,
}


if __name__ == "__main__":
    sys.exit(main())
