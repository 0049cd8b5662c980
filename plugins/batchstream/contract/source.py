"""Where the source of a contract is: its ``customProperties`` say so, or a server of type ``local``."""

from pathlib import Path

from open_data_contract_standard.model import Server

from batchstream.contract.given import Given
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Source
from batchstream.contract.servers import SETTINGS, source_settings_of
from batchstream.contract.source_settings import SOURCE_SETTINGS, read_source

_MISSING = (
    "customProperties: sourcePath is missing; write the source file, relative to the project's folder, or a server of type local "
    "with its path"
)

PATH = "sourcePath"
ANY_PATH = "path"
"""In place of one that has a mistake, so that the other settings are read all the same."""


def find_source(path: Path, given: Given, servers: list[Server], mistakes: Mistakes) -> Source | None:
    """The source; None if it has a mistake.

    Args:
        path: The contract.
        given: Its ``customProperties``, which go before what a server says.
        servers: Of the contract.
        mistakes: Takes each mistake of a setting.
    """
    of_server = source_settings_of(servers, mistakes, is_wanted=not given.stands(PATH))
    left = of_server | {name: given.get(name) for name in SOURCE_SETTINGS if name in given}
    if given.stands(PATH):
        left.setdefault(PATH, ANY_PATH)
    if PATH not in left:
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
                mistakes.note(("servers",), f"servers: {field}: {rule}")
            else:
                given.note(setting, f"customProperties: {error}")
            if setting not in left:
                return None
            del left[setting]
            if setting == PATH:
                left[setting] = ANY_PATH
