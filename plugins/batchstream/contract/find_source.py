"""Finds the source of a contract: its ``customProperties`` say so, or a server of type ``local``, ``s3`` or ``sftp``."""

from pathlib import Path
from typing import Any

from open_data_contract_standard.model import Server

from batchstream.contract.elsewhere import is_url
from batchstream.contract.given import Given
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.read_source import read_source
from batchstream.contract.servers import LOCATION, SETTINGS, source_settings_of
from batchstream.contract.source import Source
from batchstream.contract.source_settings import QUERY_SETTINGS, SOURCE_SETTINGS

_MISSING = (
    "customProperties: sourcePath is missing; write the source file, relative to the project's folder, or a server of type local "
    "with its path, or a URL"
)

PATH = "sourcePath"
CONNECTION = "sourceConnection"
ANY_PATH = ANY = "path"
"""In place of one that has a mistake, so that the other settings are read all the same."""


def find_source(path: Path, given: Given, servers: list[Server], mistakes: Mistakes) -> Source | None:
    """The source; None if it has a mistake.

    Args:
        path: The contract.
        given: Its ``customProperties``, which go before what a server says.
        servers: Of the contract.
        mistakes: Takes each mistake of a setting.
    """
    is_query = any(given.stands(name) for name in QUERY_SETTINGS)
    of_server = source_settings_of(servers, mistakes, is_wanted=not given.stands(PATH) and not is_query)
    left = of_server | {name: given.get(name) for name in SOURCE_SETTINGS if name in given}
    if given.stands(PATH):
        left.setdefault(PATH, ANY_PATH)
    if PATH not in left and not is_query:
        given.note(PATH, _MISSING)
        return None
    while True:
        try:
            return read_source(path, left)
        except ValueError as error:
            # Each of these messages begins with its setting.
            setting, _, rule = str(error).partition(": ")
            if setting in of_server and not given.stands(setting):
                field = next(field for field, ours in SETTINGS.items() if ours == setting)
                if setting == PATH and is_url(of_server[PATH]):
                    field = LOCATION
                mistakes.note(("servers",), f"servers: {field}: {rule}")
            else:
                given.note(setting, f"customProperties: {error}")
            if setting not in left:
                return None
            _forget(setting, left)


def _forget(setting: str, left: dict[str, Any]) -> None:
    """Take a setting with a mistake away, so that the others are read; what a source needs gets any other value."""
    is_query = any(name in left for name in QUERY_SETTINGS)
    is_elsewhere = is_query or is_url(left.get(PATH, ""))
    del left[setting]
    is_last_query = setting in QUERY_SETTINGS and not any(name in left for name in QUERY_SETTINGS)
    if setting == PATH and not is_query:
        left[PATH] = ANY_PATH
        left.pop(CONNECTION, None)
    elif is_last_query or (setting == CONNECTION and is_elsewhere):
        left[setting] = ANY
