"""Contracts, sources and records for the unit tests."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import Contract, load_contract
from batchstream.errors import ContractError
from tests.support.written import as_yaml

ORDER = {
    "order_number": b'"AB-0001"',
    "customer": b'"Ada"',
    "note": b"null",
    "ordered_on": b'"2024-02-29"',
    "shipped_at": b"null",
    "paid_at": b"null",
    "is_gift": b"true",
    "amount": b"12.50",
    "quantity": b"3",
    "loyalty_points": b"null",
    "weight": b"null",
    "tracking": b"null",
    "class": b'"express"',
}
"""A good record of orders, each value as JSON."""


def order(**changes: bytes) -> bytes:
    """A record of orders as JSON; a keyword that Python forbids is written with an underscore."""
    values = ORDER | {name.rstrip("_"): value for name, value in changes.items()}
    return b"{" + b",".join(b'"' + name.encode() + b'":' + value for name, value in values.items()) + b"}"


def array(*records: bytes) -> bytes:
    return b"[" + b",".join(records) + b"]"


def write_contract(folder: Path, text: str) -> Path:
    path = folder / "dags" / "contracts" / "x.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def edited(folder: Path, original: Path, *edits: tuple[str, str]) -> Path:
    """A copy of a contract in which the first occurrence of each old text is replaced."""
    text = original.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, f"the contract has no {old!r} to replace"
        text = text.replace(old, new, 1)
    return write_contract(folder, text)


def mistakes_of(path: Path) -> list[str]:
    """What load_contract says of a contract, after the name of the file, a mistake an item."""
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    told = list(caught.value.mistakes)
    assert str(caught.value) == "\n".join(told)
    assert all(mistake.startswith(f"{path}: ") for mistake in told)
    return [mistake.removeprefix(f"{path}: ") for mistake in told]


def mistake_of(path: Path) -> str:
    """The only mistake of a contract, without its line."""
    (said,) = mistakes_of(path)
    return re.sub(r"^line \d+: ", "", said)


def make_contract(folder: Path, properties: list[dict[str, Any]], **settings: Any) -> Contract:
    """A contract of these columns, whose source is data/x.csv in `folder`."""
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "customProperties": [
            {"property": name, "value": value}
            for name, value in ({"sourcePath": "data/x.csv"} | settings).items()
            if value is not None or name != "sourcePath"
        ],
        "schema": [{"name": "x", "properties": properties}],
    }
    return load_contract(write_contract(folder, as_yaml(document)))


def write_source(contract: Contract, content: bytes) -> None:
    contract.source.path.parent.mkdir(parents=True, exist_ok=True)
    contract.source.path.write_bytes(content)
    # Long enough ago that nobody is writing it any more.
    os.utime(contract.source.path, (0, 1_000_000_000))
