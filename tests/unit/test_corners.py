"""Corners in which libraries do something else than a contract says."""

import struct
from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import Contract, load_contract
from batchstream.errors import ContractError, SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.source_reader import SourceReader
from tests.conftest import HOUSING, ORDERS
from tests.unit.building import make_contract, order, write_source

PAIR: list[dict[str, Any]] = [
    {"name": "a", "physicalType": "double precision", "required": True},
    {"name": "b", "physicalType": "smallint", "required": True},
]


@pytest.mark.parametrize(
    ("physical", "options"),
    [
        ("text", {"minLength": 99999999999999999999}),
        ("double precision", {"minimum": 10**400}),
        ("numeric(9,2)", {"maximum": -(10**400)}),
        ("bigint", {"exclusiveMinimum": 2**63 - 1}),
        ("bigint", {"exclusiveMaximum": -(2**63)}),
        ("real", {"exclusiveMinimum": 10, "maximum": 5}),
        ("real", {"exclusiveMinimum": 5, "exclusiveMaximum": 5}),
        ("integer", {"exclusiveMinimum": 5, "exclusiveMaximum": 6}),
        ("varchar(40)", {"minLength": 50}),
    ],
)
def test_a_rule_that_no_value_can_meet_is_a_mistake(tmp_path: Path, physical: str, options: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="column 'a': logicalTypeOptions"):
        make_contract(tmp_path, [{"name": "a", "physicalType": physical, "required": True, "logicalTypeOptions": options}])


@pytest.mark.parametrize("rule", ["[506]", str(10**400)])
def test_a_bound_that_is_none_is_a_mistake(tmp_path: Path, rule: str) -> None:
    path = tmp_path / "bound.odcs.yaml"
    path.write_text(HOUSING.read_text().replace("mustBe: 506", f"mustBe: {rule}"))
    with pytest.raises(ContractError, match=r"mustBe: got .*; write 1 number"):
        load_contract(path)


@pytest.mark.parametrize("text", [b'"1.5"', b'"1_000"', b'" 1 "', '"\uff11\uff12"'.encode()])
@pytest.mark.parametrize("blank", [b"", b" "])
@pytest.mark.parametrize("name", [b"amount", rb"\u0061mount"])
def test_a_decimal_as_text_is_rejected(text: bytes, blank: bytes, name: bytes) -> None:
    codec = RecordCodec(load_contract(ORDERS))
    decoded = codec.decode(b"[" + order().replace(b'"amount":12.50', b'"' + name + b'":' + blank + text) + b"]")
    assert decoded.rejected[0].reason.endswith("is a text, not numeric(12,2)")


def test_the_end_of_a_pattern_is_the_end_of_the_text(tmp_path: Path) -> None:
    column = {"name": "a", "physicalType": "text", "required": True, "logicalTypeOptions": {"pattern": r"^[$x]\$?a$"}}
    codec = RecordCodec(make_contract(tmp_path, [column]))
    assert [len(codec.decode(b'[{"a":"%s"}]' % text).records) for text in (b"$a", b"x$a", rb"$a\n", b"$a ")] == [1, 1, 0, 0]


@pytest.mark.parametrize("rows", ["-0,1\n", '"-0",1\n', " -0 ,1\n"])
def test_the_sign_of_zero_is_kept(tmp_path: Path, rows: str) -> None:
    contract = make_contract(tmp_path, PAIR)
    write_source(contract, f"a,b\n{rows}".encode())
    ((_, value),) = SourceReader(contract)
    assert struct.pack(">d", RecordCodec(contract).decode(value).records[0][0]) == struct.pack(">d", -0.0)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("1,99999\n1\n", 2),
        ("1,2\n1,99999\n1,x\n", 3),
        ("x,1\n\n1,1\n", 2),
        ("1,99999\n\xff,1\n", 2),
        ("1,2\n1\n1,99999\n", 3),
    ],
)
def test_the_first_fault_of_a_file_is_the_one_that_is_told(tmp_path: Path, rows: str, line: int) -> None:
    contract = make_contract(tmp_path, PAIR)
    write_source(contract, b"a,b\n" + rows.encode("latin-1"))
    with pytest.raises(SourceError, match=rf"^[^\n]*(?:: |:\n  )line {line}[,:]"):
        list(SourceReader(contract))


def test_a_bare_carriage_return_is_refused_by_every_way_of_reading(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, PAIR)
    for row in (b"1\r,2\n", b"+1\r,2\n"):
        write_source(contract, b"a,b\n" + row)
        with pytest.raises(SourceError, match="line 2"):
            list(SourceReader(contract))


def test_a_reader_may_be_used_twice(housing: Contract) -> None:
    reader = SourceReader(housing)
    reader.check_header()
    first = list(reader)
    checksum = reader.sha256
    assert list(reader) == first
    assert (reader.sha256, reader.records, reader.batches) == (checksum, 506, 6)
