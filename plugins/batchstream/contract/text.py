"""The text of a contract file, which has an end and is UTF-8."""

import stat
from pathlib import Path

from batchstream.contract.document import MAX_SIZE
from batchstream.contract.told import Told
from batchstream.errors import ContractError, errors_about


def contract_text(path: Path) -> str:
    """The text of a contract file.

    Raises:
        ContractError: The file can't be read, is too large or not UTF-8.
    """
    with errors_about(path=str(path)):
        try:
            # A pipe or a device would keep everyone waiting, also those who want another contract.
            if not stat.S_ISREG(path.stat().st_mode):
                raise ContractError(Told(path, "is no regular file; write the contract into one"))
            with path.open("rb") as file:
                content = file.read(MAX_SIZE + 1)
            if len(content) > MAX_SIZE:
                raise ContractError(Told(path, f"a contract has at most {MAX_SIZE:,} bytes; shorten it"))
            return content.decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ContractError(Told(path, f"can't be read: {error}; write a UTF-8 file that Airflow may read")) from error
