"""Where a contract says that its source is: a path or a URL, and the connection by which it is reached."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batchstream.contract.elsewhere import Elsewhere, is_url, read_url
from batchstream.contract.run_path import require_words
from batchstream.contract.source_settings import ENDPOINT

_CONNECTION = re.compile(r"[\w.-]{1,250}")
_OWN_CONNECTIONS = "batchstream_"


def place_of(root: Path, given: Mapping[str, Any]) -> Path | Elsewhere:
    """The path of a source, or its URL.

    Args:
        root: The folder that holds ``dags/``.
        given: The settings of the source, by name.

    Raises:
        ValueError: Setting, value, what to write.
    """
    if "sourcePath" not in given:
        raise ValueError("sourcePath is missing; write the source file, relative to the project's folder, or its URL")
    name: str = given["sourcePath"]
    if "\0" in name:
        raise ValueError(f"sourcePath: got {name!r}; write a path without U+0000")
    try:
        require_words(name)
    except ValueError as error:
        raise ValueError(f"sourcePath: {error}") from error
    if not is_url(name):
        if "sourceConnection" in given:
            raise ValueError("sourceConnection: has no meaning for a path; remove it, or write a URL as sourcePath")
        return root / name
    connection = connection_of(given)
    try:
        return read_url(name, connection, given.get(ENDPOINT))
    except ValueError as error:
        raise ValueError(f"sourcePath: {error}") from error


def connection_of(given: Mapping[str, Any]) -> str | None:
    """The id of Airflow's connection to the place; None if the contract names none.

    Raises:
        ValueError: It can't be one of a user's own.
    """
    connection: str | None = given.get("sourceConnection")
    if connection is not None and (not _CONNECTION.fullmatch(connection) or connection.startswith(_OWN_CONNECTIONS)):
        raise ValueError(
            f"sourceConnection: got {connection!r}; write the id of an Airflow connection of your own: letters, digits, '_', '-' "
            f"and '.', not beginning with {_OWN_CONNECTIONS}"
        )
    return connection
