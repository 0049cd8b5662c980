"""Writes docs/api.txt: names, parameters and defaults of everything that others may build on."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import griffe

from batchstream.cli.main import parser
from batchstream.contract.properties import SETTINGS
from batchstream.paths import ROOT

FILE = ROOT / "docs" / "api.txt"
HEAD = "Written by scripts/public_api.py. A line that leaves or changes breaks what others have built: see docs/api.md."
QUOTES = "'\""
CONNECTIONS = ("KAFKA", "POSTGRES", "POSTGRES_OWNER", "SPARK")


def public_api(sources: Path = ROOT / "plugins") -> str:
    """The lines of the file, from the sources of a checkout."""
    # Read and not imported: Airflow makes files where it is imported.
    room = griffe.load("batchstream.airflow", search_paths=[sources], resolve_aliases=True)
    return "\n".join([HEAD, *_python(room), *_connections(room), *_parameters(room), *_commands(), *_properties(), ""])


def _python(room: griffe.Object | griffe.Alias) -> Iterator[str]:
    for name in sorted(str(each) for each in room.exports or ()):
        found = room[name]
        functions = [found] if found.is_function else [each for each in found.all_members.values() if each.is_function]
        for function in functions:
            if function.is_public or function.name == "__init__":
                prefix = room.path if function is found else f"{room.path}.{name}"
                yield f"python      {prefix}.{function.signature()} -> {function.returns}"


def _connections(room: griffe.Object | griffe.Alias) -> Iterator[str]:
    for name in CONNECTIONS:
        yield f"connection  {room[f'connections.{name}'].value.strip(QUOTES)}"


def _parameters(room: griffe.Object | griffe.Alias) -> Iterator[str]:
    values = room["pipeline.PARAMETERS"].value
    for name, value in zip(values.keys, values.values, strict=True):
        yield f"parameter   {name.strip(QUOTES)}, by default {value.arguments[0]}"


def _commands() -> Iterator[str]:
    (commands,) = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        arguments = [action for action in command._actions if action.dest != "help"]
        yield " ".join([f"command     batchstream {name}", *map(_argument, arguments)])


def _argument(action: argparse.Action) -> str:
    name = action.option_strings[0] if action.option_strings else action.dest.upper()
    choices = f"={{{','.join(action.choices)}}}" if action.choices else ""
    default = "" if action.default is None or action.default is False else f", by default {action.default}"
    return f"[{name}{choices}{default}]" if action.option_strings or action.nargs else f"{name}{choices}"


def _properties() -> Iterator[str]:
    for name in sorted(SETTINGS):
        yield f"contract    customProperties: {name}"


if __name__ == "__main__":
    FILE.write_text(public_api(), encoding="utf-8")
