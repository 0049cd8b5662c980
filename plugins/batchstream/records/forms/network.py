"""Addresses of networks: what Python's ipaddress takes, with the length of the prefix as a number."""

import ipaddress
import re
from collections.abc import Callable
from functools import partial

from batchstream.contract.model import Column

# No netmask and no zone behind a percent sign, which PostgreSQL has not.
_ADDRESS = re.compile(r"([0-9a-fA-F:.]+)(?:/(0|[1-9]\d{0,2}))?", re.ASCII)
_MAC = {
    size: re.compile(rf"[0-9a-fA-F]{{2}}(?::[0-9a-fA-F]{{2}}){{{size - 1}}}|[0-9a-fA-F]{{2}}(?:-[0-9a-fA-F]{{2}}){{{size - 1}}}")
    for size in (6, 8)
}
_FAMILIES = {4: 2, 6: 3}
"""PGSQL_AF_INET and PGSQL_AF_INET6."""


def inet(_: Column) -> Callable[[str], bytes]:
    """Of type ``inet``: an address, with or without the length of its network's prefix."""
    return partial(_address, is_network=False)


def cidr(_: Column) -> Callable[[str], bytes]:
    """Of type ``cidr``: a network, with no bit behind its prefix."""
    return partial(_address, is_network=True)


def macaddr(_: Column) -> Callable[[str], bytes]:
    """Of type ``macaddr``: 08:00:2b:01:02:03, or with hyphens."""
    return partial(_mac, 6)


def macaddr8(_: Column) -> Callable[[str], bytes]:
    """Of type ``macaddr8``: the same of eight bytes."""
    return partial(_mac, 8)


def _address(text: str, *, is_network: bool) -> bytes:
    found = _ADDRESS.fullmatch(text)
    try:
        if found is None:
            raise ValueError("write such as 192.0.2.7/24 or 2001:db8::1")
        address = ipaddress.ip_address(found[1])
        bits = int(found[2] or address.max_prefixlen)
        if bits > address.max_prefixlen:
            raise ValueError(f"its prefix has at most {address.max_prefixlen} bits")
        if is_network:
            ipaddress.ip_network(f"{found[1]}/{bits}")
    except ValueError as error:
        raise ValueError(f"is no {'network' if is_network else 'address'} of IP ({error})") from error
    packed = address.packed
    return bytes((_FAMILIES[address.version], bits, is_network, len(packed))) + packed


def _mac(size: int, text: str) -> bytes:
    if not _MAC[size].fullmatch(text):
        raise ValueError(f"is no hardware address; write {size} bytes such as 08:00:2b")
    return bytes.fromhex(text.replace(":", "").replace("-", ""))
