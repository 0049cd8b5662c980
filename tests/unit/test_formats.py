"""JSON, Parquet and Excel workbooks: what each of them refuses, and where."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from batchstream.contract import Contract
from batchstream.errors import SourceError
from batchstream.records.again import SecondJudge
from batchstream.records.codec import RecordCodec
from batchstream.records.json_elements import NotAnArrayError, elements_of_array
from batchstream.records.rejects import BadRecord
from batchstream.records.source_reader import SourceReader, check_header
from tests.unit.building import make_contract, write_source

COLUMNS = [{"name": "n", "physicalType": "integer"}, {"name": "t", "physicalType": "text"}]


def contract_of(folder: Path, content: bytes, kind: str, **settings: Any) -> Contract:
    contract = make_contract(folder, COLUMNS, sourceFormat=kind, **settings)
    write_source(contract, content)
    return contract


def fault_of(contract: Contract) -> str:
    with pytest.raises(SourceError) as caught:
        list(SourceReader(contract))
    return str(caught.value).removeprefix(f"{contract.source.path}: ")


def read(contract: Contract) -> tuple[list[tuple[Any, ...]], list[BadRecord]]:
    bad: list[BadRecord] = []
    codec = RecordCodec(contract)
    found = [codec.decode(one.value, one.first_record_id).records for one in SourceReader(contract, bad.append)]
    return [row for rows in found for row in rows], bad


LINES = b"""{"n": 1, "t": "a"}
{"n": 2}
{"n": 3, "t": "c", "x": 0}
{"n": 4, "t": "d", "n": 5}
{"n": 6, "t": "f"

[7, "g"]
{"n": 8.5, "t": "h"}
{"n": 9, "t": "\\ud800"}
{"n": "10", "t": 10.50}
{"n" : 11, "t": "k\\":", "t\\u0022" :1}
{"n": null, "t": ""}
"""


def test_a_bad_object_costs_itself(tmp_path: Path) -> None:
    good, bad = read(contract_of(tmp_path, LINES, "json", rejectedRecordsAllowed=20))
    assert good == [(1, "a", 1), (10, "10.50", 10), (None, "", 12)]
    assert [(one.line, one.record_id) for one in bad] == [(line, line) for line in (2, 3, 4, 5, 6, 7, 8, 9, 11)]
    for one, said in zip(
        bad,
        (
            "'t' is missing, and is NULL only with sourceMissingFields: nulls",
            "'x' is not in the contract, and is ignored only with sourceOtherColumns: ignored",
            "'n' stands twice",
            "Input data was truncated",
            "the record is empty; remove it",
            "Expected `object`, got `array`",
            "column 'n': 8.5 is not integer",
            "write a JSON object",
            "'t\"' is not in the contract",
        ),
        strict=True,
    ):
        assert said in one.reason
    assert [one.raw for one in bad] == [LINES.decode().splitlines()[one.line - 1] for one in bad]


def test_json_and_arrays_keep_their_values(tmp_path: Path) -> None:
    kinds = {"j": "jsonb", "o": "json", "a": "text[]", "s": "text"}
    contract = make_contract(
        tmp_path, [{"name": name, "physicalType": kind} for name, kind in kinds.items()], sourceFormat="json"
    )
    write_source(contract, b'{"j": "x", "o": {"b": [1.50, null]}, "a": ["p", null], "s": {"q": 1}}\n')
    (batch,) = SourceReader(contract)
    found = json.loads(batch.value)[0]
    assert [json.loads(found[name]) for name in kinds] == ["x", {"b": [1.5, None]}, ["p", None], {"q": 1}]


def test_the_elements_of_an_array_are_found_in_pieces_of_any_size() -> None:
    text = json.dumps([{"a": '],{"\\'}, [1, [2, {}]], "é,", 5], ensure_ascii=False, indent=1).encode()
    for size in (1, 2, 3, 7, 1000):
        found = list(elements_of_array(text[at : at + size] for at in range(0, len(text), size)))
        assert [json.loads(one.raw) for one in found] == json.loads(text)
        assert [one.line for one in found] == [2, 5, 12, 13]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'[{"n": 1}, {"n": 2}', "the array has no end, so the file may be cut off"),
        (b'[{"n": 1}, {"n": "2', "the array has no end"),
        (b'[{"n": 1}] [', "something follows the end of the array: ' ['"),
        (b'[{"n": 1}}', "something follows the end of the array"),
    ],
)
def test_an_array_that_is_not_whole_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(NotAnArrayError, match=said.replace("[", r"\[")):
        list(elements_of_array([text]))


def test_half_an_array_is_refused_with_its_file(tmp_path: Path) -> None:
    said = fault_of(contract_of(tmp_path, b'[\n{"n": 1, "t": "a"},\n{"n": 2,', "json"))
    assert said == "line 2 or below: the array has no end, so the file may be cut off; write it to its end"


def test_json_lines_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    assert "has no line end" in fault_of(contract_of(tmp_path, b'{"n": 1, "t": "a"}', "json"))


def as_parquet(table: pa.Table) -> bytes:
    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


GOOD = pa.table({"n": [1, 2], "t": ["a", "b"]})
NANOSECONDS = as_parquet(pa.table({"n": [1], "t": pa.array([1], pa.timestamp("ns"))}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"n,t\n1,a\n", "the file is not Parquet, or cut off: "),
        (as_parquet(GOOD)[:-20], "the file is not Parquet, or cut off: "),
        (as_parquet(pa.table({"n": [1], "T": ["a"]})), "the columns are not the contract's: missing 't'; unexpected 'T'"),
        (as_parquet(pa.table({"n": [1, 2**40], "t": ["a", "b"]})), "line 2, column 'n': 1099511627776 is not integer"),
        (as_parquet(pa.table({"n": [1.5], "t": ["a"]})), "line 1, column 'n': 1.5 is not integer"),
        (
            as_parquet(pa.table({"n": [1], "t": pa.array([1], pa.timestamp("ns"))})),
            "record 1 or one soon after it can't be read: ",
        ),
        (
            as_parquet(pa.table({"n": pa.array([], pa.int64()), "t": pa.array([], pa.string())})),
            "the source has a header but no record",
        ),
    ],
    ids=["csv", "cut off", "other columns", "a range", "a fraction", "nanoseconds", "empty"],
)
def test_parquet_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    assert fault_of(contract_of(tmp_path, content, "parquet")).startswith(said)


def test_single_precision_keeps_its_digits_and_nested_values_are_json(tmp_path: Path) -> None:
    columns = [{"name": "f", "physicalType": "numeric(5,2)"}, *COLUMNS]
    contract = make_contract(tmp_path, columns, sourceFormat="parquet")
    nested = [{"a": [1, None], "b": "é"}, None]
    write_source(contract, as_parquet(pa.table({"f": pa.array([0.1, 2.5], pa.float32()), "n": [1, 2], "t": nested})))
    (batch,) = SourceReader(contract)
    found = json.loads(batch.value)
    assert [one["f"] for one in found] == [0.1, 2.5]
    assert [one["t"] and json.loads(one["t"]) for one in found] == nested


def as_workbook(*lines: list[Any], titles: tuple[str, ...] = ("data",)) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title in titles:
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"n,t\n1,a\n", "the file is no Excel workbook (xlsx), or cut off: "),
        (as_workbook(["n", "t"], [1, "a"])[:-30], "the file is no Excel workbook (xlsx), or cut off: "),
        (as_workbook(["n", "T"], [1, "a"]), "row 1: the header is not the contract's: missing 't'; unexpected 'T'"),
        (as_workbook(["n", "t"], [1, "a"], titles=("a", "b")), "there are 2 sheets; write one of 'a', 'b' as sourceSheet"),
        (as_workbook(["n", "t"], [1, "a"], [2, "#N/A"]), "line 3: cell B3 is the error #N/A; mend the workbook"),
        (as_workbook(["n", "t"], [1, "=1+1"]), "line 2: cell B2 has a formula without a value; save the workbook in Excel"),
        (as_workbook(["n", "t"], [1, "a"], [], [1.5, "b"]), "2 of 3 records break the contract"),
        (as_workbook(["n", "t"], [1, "a", "b"]), "line 2: the line is too long: expected 2 fields, got 3"),
        (as_workbook(["n", "t"]), "the source has a header but no record"),
    ],
    ids=["csv", "cut off", "other columns", "sheets", "an error", "a formula", "a blank row", "a field more", "empty"],
)
def test_a_workbook_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    assert fault_of(contract_of(tmp_path, content, "xlsx")).startswith(said)


def test_a_sheet_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    contract = contract_of(tmp_path, as_workbook(["n", "t"], [1, "a"]), "xlsx", sourceSheet="Data")
    with pytest.raises(SourceError, match="there is no sheet 'Data'; write one of 'data' as sourceSheet"):
        check_header(contract)


@pytest.mark.parametrize("kind", ["json", "parquet", "xlsx"])
def test_a_bad_record_of_any_format_is_judged_again(kind: str, tmp_path: Path) -> None:
    """Out of the quarantine, where it stands as JSON."""
    content = {
        "json": b'{"t": "a", "n": 1}\n{"t": "b", "n": 99999999999}\n',
        "parquet": as_parquet(pa.table({"t": ["a", "b"], "n": [1, 99999999999]})),
        "xlsx": as_workbook(["t", "n"], ["a", 1], ["b", 99999999999]),
    }[kind]
    _, (bad,) = read(contract_of(tmp_path, content, kind, rejectedRecordsAllowed=1))
    assert json.loads(bad.raw) == {"t": "b", "n": 99999999999 if kind == "json" else "99999999999"}
    mended = make_contract(tmp_path, [{"name": "n", "physicalType": "bigint"}, COLUMNS[1]], sourceFormat=kind)
    judge = SecondJudge(mended, RecordCodec(mended), {str(bad.path): None})
    element = judge.element(bad.raw, str(bad.path), bad.line, bad.record_id)
    assert isinstance(element, bytes)
    assert json.loads(element) == {"n": 99999999999, "t": "b"}


@pytest.mark.parametrize(("kind", "module", "extra"), [("parquet", "pyarrow", "parquet"), ("xlsx", "openpyxl", "excel")])
def test_the_package_that_is_missing_is_named(
    kind: str, module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert f"pip install 'batchstream[{extra}]'" in fault_of(contract_of(tmp_path, b"x", kind))


@pytest.mark.parametrize(
    ("line", "said"),
    [(b"1  abcX\n", "the line has 7 characters, sourceWidths 6 in all"), (b"x  abc\n", "column 'n': expected integer")],
)
def test_a_line_of_fixed_width_is_refused(line: bytes, said: str, tmp_path: Path) -> None:
    contract = contract_of(tmp_path, b"n  t\n" + line + b"2  \n3 \n", "fixed", sourceWidths=[3, 3])
    assert said in fault_of(contract)
