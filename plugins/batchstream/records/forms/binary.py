"""Bytes in hexadecimal, as PostgreSQL prints them. Its older form, and base64, look like one another and are refused."""

import re
from collections.abc import Callable

from batchstream.contract.model import Column

_HEX = re.compile(r"\\x((?:[0-9a-fA-F]{2})*)")


def judge(_: Column) -> Callable[[str], bytes]:
    r"""Of type ``bytea``: ``\x0a1b``."""

    def judge(text: str) -> bytes:
        found = _HEX.fullmatch(text)
        if found is None:
            raise ValueError(r"is not written in hexadecimal; write such as \x0a1b")
        return bytes.fromhex(found[1])

    return judge
