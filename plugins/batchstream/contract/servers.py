"""The source as the standard itself says it: an entry of type ``local``, ``s3`` or ``sftp`` under ``servers``."""

import os
import re

from open_data_contract_standard.model import Server

from batchstream.contract.mistakes import Mistakes
from batchstream.contract.source_settings import ENDPOINT

LOCAL = "local"
LOCATION = "location"
# Type → field that says where the files are.
_PLACES = {LOCAL: "path", "s3": LOCATION, "sftp": LOCATION}

# Field of the standard → our setting.
SETTINGS = {"path": "sourcePath", "format": "sourceFormat", "delimiter": "sourceDelimiter", "encoding": "sourceEncoding"}

_DELIMITERS_OF_JSON = ("new_line", "array")
"""Say how the documents of a file are separated, which is seen by its first character."""

# What tools call a format → our name; JSON Lines are seen by their first character.
_FORMATS = {"jsonl": "json", "ndjson": "json", "excel": "xlsx"}

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# A path is shown in messages and in the ledger, and a password would be, too.
_SECRET = re.compile(r"AIRFLOW|CONN|CREDENTIAL|FERNET|KEY|PASS|SECRET|TOKEN", re.IGNORECASE)


def source_settings_of(servers: list[Server], mistakes: Mistakes, *, is_wanted: bool) -> dict[str, str]:
    """The settings of the source that a server stands for: that of type ``local``, or else that of another place of files.

    There are none if there is no such server.

    Args:
        servers: Of the contract.
        mistakes: Takes what is wrong with that server, and each server that is not the source.
        is_wanted: Whether the contract leaves it to the servers to say where the source is.
    """
    local = [number for number, server in enumerate(servers) if server.type == LOCAL and is_wanted]
    elsewhere = [number for number, server in enumerate(servers) if server.type in _PLACES and is_wanted]
    found = local or elsewhere
    for number, server in enumerate(servers):
        if number not in found:
            why = "customProperties say where the source is" if not is_wanted else f"the server of type {LOCAL} is the source"
            if server.type not in _PLACES:
                why = "it is no file"
            mistakes.tell(("servers", number), f"servers[{number}]: {server.type} {server.server!r} has no effect: {why}")
    if len(found) > 1:
        names = ", ".join(str(servers[number].server) for number in found)
        types = " or ".join(dict.fromkeys(str(servers[number].type) for number in found))
        mistakes.note(("servers",), f"servers: one of type {types} is the source; got {names}; keep one, or write sourcePath")
        # That one is missing is no mistake, too.
        return {"sourcePath": "path"}
    if not found:
        return {}
    (number,) = found
    return _settings(number, servers[number], mistakes)


def _settings(number: int, server: Server, mistakes: Mistakes) -> dict[str, str]:
    found: dict[str, str] = {}
    where = _PLACES[str(server.type)]
    if not getattr(server, where):
        mistakes.note(("servers", number), f"servers[{number}].{where}: is missing; write the source file")
        found["sourcePath"] = "path"
    if server.type == "s3" and server.endpointUrl:
        found[ENDPOINT] = server.endpointUrl
    # Tools wrote these before the standard had a field for them.
    further = {entry.property: entry.value for entry in server.customProperties or []}
    for named, setting in SETTINGS.items():
        field = where if setting == "sourcePath" else named
        value = getattr(server, field) or further.get(field)
        if not isinstance(value, str):
            continue
        with mistakes.at("servers", number, field, field=f"servers[{number}].{field}"):
            if setting == "sourcePath":
                found[setting] = "path"
            value = _with_variables(value)
            if setting == "sourcePath" and server.type != LOCAL and not value.startswith(f"{server.type}://"):
                raise ValueError(f"got {value!r}; write a URL that begins with {server.type}://")
            if setting == "sourceDelimiter" and value in _DELIMITERS_OF_JSON:
                continue
            found[setting] = _FORMATS.get(value.lower(), value) if setting == "sourceFormat" else value
        for name in _unset(value):
            mistakes.tell(("servers", number, field), f"servers[{number}].{field}: the variable {name} is not set here")
    return found


def _with_variables(text: str) -> str:
    """The text with the values of environment variables, as version 3.2 of the standard has them.

    One that is not set stays as it is: only the task that reads the source needs it.

    Raises:
        ValueError: A variable may hold a secret.
    """
    for name in _VARIABLE.findall(text):
        if _SECRET.search(name):
            raise ValueError(f"got ${{{name}}}, whose name is that of a secret, and a path is shown; write another name")
    return _VARIABLE.sub(lambda variable: os.environ.get(variable[1], variable[0]), text)


def _unset(text: str) -> list[str]:
    return [name for name in _VARIABLE.findall(text) if name not in os.environ and not _SECRET.search(name)]
