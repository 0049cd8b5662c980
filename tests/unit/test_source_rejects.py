"""The reader goes on after a bad record: what is given to the quarantine, what is sent, and what the error says."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchstream.contract import Contract
from batchstream.errors import ContractError, SourceError
from batchstream.records import rejects, rows
from batchstream.records.rejects import BadRecord
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract, write_source

N: dict[str, Any] = {"name": "n", "physicalType": "integer", "required": True}
T: dict[str, Any] = {"name": "t", "physicalType": "text", "required": True, "logicalTypeOptions": {"maxLength": 40}}


def read(contract: Contract, content: bytes) -> tuple[SourceReader, dict[int, Any], list[BadRecord]]:
    """Good records by their ids, and the bad ones."""
    write_source(contract, content)
    bad: list[BadRecord] = []
    reader = SourceReader(contract, bad.append)
    good: dict[int, Any] = {}
    for first, value in reader:
        for record_id, record in enumerate(json.loads(value), first):
            good[record_id] = record
    return reader, good, bad


def test_a_bad_record_costs_one_record(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N], rejectedRecordsAllowed=5)
    reader, good, bad = read(contract, b"n\n1\noops\n3\n")
    assert good == {1: {"n": 1}, 3: {"n": 3}}
    assert bad == [
        BadRecord(
            record_id=2,
            line=3,
            column="n",
            reason="column 'n': expected integer NOT NULL, got 'oops' (write a number such as -12)",
            raw="oops",
            path=contract.source.path,
        )
    ]
    assert (reader.records, reader.rejected_records, reader.batches) == (3, 1, 2)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        pytest.param(b"x,oops", "n", "column 'n': expected integer", id="a spelling"),
        pytest.param(b"x,99999999999", "n", "column 'n': 99999999999 is not integer", id="a range"),
        pytest.param(b"x" * 41 + b",1", "t", "column 't': ", id="a rule"),
        pytest.param(b"x", None, "the line is too short: expected 2 fields, got 1: x", id="a field too few"),
        pytest.param(b"x,1,2", None, "the line is too long", id="a field too many"),
        pytest.param(b"", None, "the line is blank, but records follow", id="a blank line"),
        pytest.param(b"a\xffb,1", None, r"byte 2 of the line: expected UTF-8, got b'\xff'", id="no UTF-8"),
        pytest.param(b'"x"y,1', None, "',' expected after '\"'; mend the quotes", id="quotes"),
        pytest.param(
            b"x\ry,1",
            None,
            "a carriage return stands in the line without a line feed; end all lines with LF, CRLF or CR",
            id="a carriage return",
        ),
        pytest.param(
            b"x" * 131_073 + b",1", None, "field larger than field limit (131072); shorten this field", id="a long field"
        ),
        pytest.param(b'"x\n\ny",oops', "n", "column 'n': expected integer", id="three lines"),
        pytest.param(b"x\0,1", "t", "column 't': \"x\\u0000\" holds U+0000", id="U+0000"),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 99, 100, 101])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_the_reader_goes_on_after(line: bytes, column: str | None, reason: str, before: int, end: bytes, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [T, N], rejectedRecordsAllowed=1)
    reader, good, bad = read(contract, end.join([b"t,n", *[b"y,1"] * before, line, *[b"z,2"] * 120, b""]))
    assert set(good) == {*range(1, before + 1), *range(before + 2, before + 122)}
    assert [good[record_id]["n"] for record_id in sorted(good)] == [1] * before + [2] * 120
    (one,) = bad
    assert (one.record_id, one.line, one.column) == (before + 1, before + 2, column)
    assert one.reason.startswith(reason)
    assert one.raw == line.decode(errors="backslashreplace").replace("\0", "\\x00")
    assert (reader.records, reader.rejected_records) == (before + 121, 1)


@pytest.mark.parametrize(
    ("allowed", "bad", "passes"),
    [(0, 1, False), (2, 2, True), (2, 3, False), ("1%", 3, True), ("1%", 4, False), ("0.5 %", 1, True), ("0%", 1, False)],
)
@pytest.mark.parametrize("last", [True, False], ids=["at the end", "at the beginning"])
def test_an_allowance_is_a_number_or_a_share(allowed: int | str, bad: int, passes: bool, last: bool, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N], rejectedRecordsAllowed=allowed)
    lines = [b"1"] * (301 - bad) + [b"x"] * bad
    content = b"\n".join([b"n", *(lines if last else lines[::-1]), b""])
    if passes:
        assert read(contract, content)[0].rejected_records == bad
    else:
        with pytest.raises(SourceError, match=f"rejectedRecordsAllowed is {allowed}" if bad > 1 else "mend the source"):
            read(contract, content)


def test_an_allowance_may_be_as_large_as_a_count_can_be(tmp_path: Path) -> None:
    assert make_contract(tmp_path, [N], rejectedRecordsAllowed=2**62).rejected_records_allowed.of(1) == 2**62
    with pytest.raises(ContractError, match="write at least 0 and at most"):
        make_contract(tmp_path, [N], rejectedRecordsAllowed=2**62 + 1)


def test_after_too_many_nothing_more_is_sent_and_all_is_read(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [N], rejectedRecordsAllowed=1)
    lines = [b"1"] * 1000
    for number in range(150, 1000, 50):
        lines[number] = b"bad%d" % number
    write_source(contract, b"\n".join([b"n", *lines, b""]))
    kept: list[BadRecord] = []
    reader, sent = SourceReader(contract, kept.append), []
    with pytest.raises(SourceError) as caught:
        sent.extend(reader)
    assert sum(len(json.loads(batch.value)) for batch in sent) == 199
    assert (reader.records, reader.rejected_records, len(kept)) == (1000, 17, 17)
    summary, *shown = str(caught.value).split("\n")
    assert summary == (
        f"{contract.source.path}: 17 of 1,000 records break the contract, rejectedRecordsAllowed is 1; "
        "mend the source or the contract. The first 10:"
    )
    assert [line.partition(",")[0] for line in shown] == [f"  line {number + 2}" for number in range(150, 650, 50)]


def test_a_source_of_nothing_but_bad_records_is_no_load(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="every record is bad; write at least one"):
        read(make_contract(tmp_path, [N], rejectedRecordsAllowed="100%"), b"n\nx\ny\n")


@pytest.mark.parametrize("line", [b"oops\n", b"\n"], ids=["bad numbers", "blank lines"])
def test_a_source_of_bad_records_is_bounded(line: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = make_contract(tmp_path, [N])
    write_source(contract, b"n\n" + line * 20_000 + b"1\n")
    kept = 0

    def keep(_: BadRecord) -> None:
        nonlocal kept
        kept += 1

    reader = SourceReader(contract, keep)
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="20,000 of 20,001 records"):
            list(reader)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert (kept, reader.rejected_records) == (rejects.MAX_KEPT_REJECTS, 20_000)


def test_the_kept_records_are_bounded_by_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "MAX_KEPT_REJECT_BYTES", 1000)
    contract = make_contract(tmp_path, [N], rejectedRecordsAllowed=100)
    reader, _, bad = read(contract, b"n\n" + (b"x" * 300 + b"\n") * 5 + b"1\n")
    assert (len(bad), reader.rejected_records) == (3, 5)


FATAL = [
    pytest.param(b'x,1\n"x,1\ny,1\n', "line 3: unexpected end of data: a quote is opened and never closed", id="never closed"),
    pytest.param(b'x,1\n"x,1\n"y",1\nz,1\n', "line 3: ',' expected after '\"' in line 4", id="closed in the next record"),
    pytest.param(b'x,1\n"x,1\n' + b"y,1\n" * 1100, "line 3: a quoted field spans more than 1,000 lines", id="swallows lines"),
]


@pytest.mark.parametrize("allowed", [0, "100%"])
@pytest.mark.parametrize(("content", "begin"), FATAL)
def test_what_makes_the_rest_unknowable_is_a_fault_of_the_file(
    content: bytes, begin: str, allowed: int | str, tmp_path: Path
) -> None:
    contract = make_contract(tmp_path, [T, N], rejectedRecordsAllowed=allowed)
    with pytest.raises(SourceError) as caught:
        read(contract, b"t,n\n" + content)
    assert str(caught.value).startswith(f"{contract.source.path}: {begin}")
    with pytest.raises(SourceError) as caught:
        read(contract, b"t,n\nx\n" + content)
    assert "Before it, 1 records break the contract. These are:\n  line 2: the line is too short" in str(caught.value)


def test_a_record_may_span_as_many_lines_as_the_limit(tmp_path: Path) -> None:
    column = {"name": "t", "physicalType": "text", "required": True}
    contract = make_contract(tmp_path, [column])
    text = b"\n" * (rows.MAX_LINES_PER_RECORD - 1)
    _, good, _ = read(contract, b't\n"' + text + b'"\nx\n' + b'"y\ny"\n' * 900)
    assert len(good) == 902


LINES = st.lists(st.sampled_from([b"x,1", b'"x\ny",2', b"x", b"", b"x,y", b"\xff,1", b'"x"y,1', b"x,99999999999"]), max_size=250)


@settings(max_examples=200, deadline=None)
@given(lines=LINES)
def test_each_record_is_sent_or_bad_with_its_number(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    contract = make_contract(tmp_path_factory.getbasetemp(), [T, N], rejectedRecordsAllowed=1000)
    _, good, bad = read(contract, b"\n".join([b"t,n", *lines, b"x,1\n"]))
    expected = [number for number, line in enumerate([*lines, b"x,1"], 1) if line in (b"x,1", b'"x\ny",2')]
    assert sorted(good) == expected
    assert sorted([*good, *(one.record_id for one in bad)]) == list(range(1, len(lines) + 2))
    begins = [2 + sum(1 + line.count(b"\n") for line in lines[:number]) for number in range(len(lines) + 1)]
    assert [one.line for one in bad] == [begins[one.record_id - 1] for one in bad]
    assert [one.raw for one in bad] == [lines[one.record_id - 1].decode(errors="backslashreplace") for one in bad]
