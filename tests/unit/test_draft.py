"""Contracts that are drafted for files: each is one that loads its file as it is."""

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet

from batchstream.cli.contract_new import Wanted, write
from batchstream.contract import Contract, load_contract
from batchstream.contract.document import read_document
from batchstream.draft.column import DraftColumn
from batchstream.draft.contract import draft
from batchstream.draft.document import table_names, written
from batchstream.draft.kinds import kind_of
from batchstream.errors import SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.source_reader import SourceReader

ROWS = "".join(f"{number},{number / 4},x{number}\n" for number in range(1, 31))


def drafted(folder: Path, content: bytes | str, name: str = "Some-Data.csv") -> Contract:
    """The contract that is drafted for a file, which reads it without a bad record."""
    path, at = folder / "data" / name, folder / "dags" / "contracts" / "x.odcs.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (0, 1_000_000_000))
    found = draft(path, at)
    assert found.bad_records == []
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(found.text, encoding="utf-8")
    return load_contract(at)


def records_of(contract: Contract) -> list[tuple[Any, ...]]:
    codec = RecordCodec(contract)
    return [row[:-1] for batch in SourceReader(contract) for row in codec.decode(batch.value).records]


def types_of(contract: Contract) -> list[str]:
    return [column.type.sql for column in contract.columns]


def as_workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["No", "Rate", "Label"])  # type: ignore[union-attr]
    for number in range(1, 31):
        book.active.append([number, number / 4, f"x{number}"])  # type: ignore[union-attr]
    book.create_sheet("notes")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def as_parquet() -> bytes:
    content = io.BytesIO()
    numbers = list(range(1, 31))
    table = pa.table({"No": numbers, "Rate": [n / 4 for n in numbers], "Label": [f"x{n}" for n in numbers]})
    parquet.write_table(table, content)
    return content.getvalue()


OBJECTS = [{"No": n, "Rate": n / 4, "Label": f"x{n}"} for n in range(1, 31)]
HEADER = "No,Rate,Label\n"
SHAPES: dict[str, tuple[bytes | str, str]] = {
    "carriage returns": ((HEADER + ROWS).replace("\n", "\r"), "a.csv"),
    "blank lines before": ("\n  \n" + HEADER + ROWS, "a.csv"),
    "blank lines and a title": ("\n\nReport\n" + HEADER + ROWS, "a.csv"),
    "blank lines before one column": ("\n\nword\n" + "".join(f"w{number}\n" for number in range(30)), "a.csv"),
    "plain": (HEADER + ROWS, "a.csv"),
    "CRLF": ((HEADER + ROWS).replace("\n", "\r\n"), "a.csv"),
    "no last line end": ((HEADER + ROWS).rstrip("\n"), "a.csv"),
    "no header": (ROWS, "a.csv"),
    "a title": ("Report of 2026\n\n" + HEADER + ROWS, "a.csv"),
    "comments": ("# of 2026\n# by us\n" + HEADER + ROWS, "a.csv"),
    "semicolons and commas": ((HEADER + ROWS).replace(",", ";").replace(".", ","), "a.csv"),
    "tabs": ((HEADER + ROWS).replace(",", "\t"), "a.tsv"),
    "tabs and a lone quote": ((HEADER + ROWS).replace(",", "\t").replace("x7", '7"'), "a.tsv"),
    "pipes": ((HEADER + ROWS).replace(",", "|"), "a.txt"),
    "blanks": ((HEADER + ROWS).replace(",", "  "), "a.txt"),
    "quotes": ("".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"\n' for line in (HEADER + ROWS).splitlines()), "a.csv"),
    "lines in quotes": ((HEADER + ROWS).replace("x7", '"x\n7"'), "a.csv"),
    "an unnamed column": (HEADER.replace("No", "") + ROWS, "a.csv"),
    "odd names": ('"No. of X","% rate (€)","group"\n' + ROWS, "a.csv"),
    "names twice": ("n,n,n\n" + ROWS, "a.csv"),
    "latin-1": ((HEADER + ROWS.replace("x7", "é")).encode("latin-1"), "a.csv"),
    "UTF-16": ((HEADER + ROWS).encode("utf-16"), "a.csv"),
    "a byte order mark": (b"\xef\xbb\xbf" + (HEADER + ROWS).encode(), "a.csv"),
    "gzip": (gzip.compress((HEADER + ROWS).encode()), "a.csv.gz"),
    "NA": ((HEADER + ROWS).replace("0.25", "NA").replace("\n2,", "\nNA,"), "a.csv"),
    "JSON": (json.dumps(OBJECTS), "a.json"),
    "JSON Lines": ("".join(json.dumps(one) + "\n" for one in OBJECTS), "a.jsonl"),
    "Parquet": (as_parquet(), "a.parquet"),
    "xlsx of two sheets": (as_workbook(), "a.xlsx"),
    "one column": ("word\n" + "".join(f"w{number}\n" for number in range(30)), "a.csv"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_of_any_shape_loads_by_its_draft(shape: str, tmp_path: Path) -> None:
    contract = drafted(tmp_path, *SHAPES[shape])
    found = records_of(contract)
    assert len(found) == 30
    if shape.endswith("one column"):
        assert found[0] == ("w0",)
        return
    assert types_of(contract)[:2] == ["integer", "double precision"]
    assert found[29] == (30, 7.5, "x30")
    assert found[0][1] == (None if shape == "NA" else 0.25)


def values(name: str, *texts: str) -> str:
    return "".join(f"{text},x\n" for text in (name, *texts))


@given(st.text(min_size=1).filter(lambda name: name.encode("utf-8", "ignore").decode() == name and "\0" not in name))
@example("\x7f\x80\x85\x9f\u2028\ufffe\uffff")
@example("08")
def test_any_name_of_a_source_is_written_so_that_it_is_read_again(name: str) -> None:
    column = DraftColumn(name)
    column.add(["1"])
    found = read_document(written("x", {"sourcePath": name}, [column], [name]))
    assert found["schema"][0]["properties"][0]["name"] == name
    assert found["customProperties"][0]["value"] == name


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (("1", "2147483648"), "bigint"),
        (("1", "2.5"), "double precision"),
        (("01", "2"), "text"),
        (("1", "99999999999999999999"), "text"),
        (("0.1234567890123456789", "1"), "text"),
        (("true", "FALSE"), "boolean"),
        (("0", "1"), "integer"),
        (("2026-01-31", "2025-12-01"), "date"),
        (("2026-02-30", "2025-12-01"), "text"),
        (("31/12/2025", "01/02/2026"), "date"),
        (("12/31/2025", "01/02/2026"), "date"),
        (("01/02/2025", "03/04/2026"), "text"),
        (("2026-01-31 10:00:00", "2026-01-31T10:00:00.5"), "timestamp without time zone"),
        (("2026-01-31 10:00:00Z", "2026-01-31T10:00:00+01:00"), "timestamp with time zone"),
        (("2026-01-31 10:00:00Z", "2026-01-31T10:00:00"), "text"),
        (("31.12.2025 23:59", "01.02.2026 00:00"), "timestamp without time zone"),
        (("07b22ec3-3a92-46f6-80c9-c1dfa6176fe5", "07B22EC3-3A92-46F6-80C9-C1DFA6176FE5"), "uuid"),
        (("1", "NA", "-"), "integer"),
        (("a", "NA"), "text"),
        (("", ""), "text"),
        (("1e400", "1"), "text"),
        (("1,5", "2"), "double precision"),
    ],
)
def test_the_type_is_what_the_values_show(texts: tuple[str, ...], kind: str, tmp_path: Path) -> None:
    quoted = [f'"{text}"' if "," in text else text for text in texts]
    contract = drafted(tmp_path, values("v", *quoted).replace(",x\n", ",x\n", 1))
    assert types_of(contract)[0] == kind
    found = [row[0] for row in records_of(contract)]
    assert [one is None for one in found] == [text == "" or (text in ("NA", "-") and kind != "text") for text in texts]


def test_what_is_not_certain_is_said(tmp_path: Path) -> None:
    rows = "".join(f"{number:04},{number % 9 + 1:02}/{number % 9 + 1:02}/2026,{number}\n" for number in range(40))
    drafted(tmp_path, "zip,day,key\n" + rows)
    text = (tmp_path / "dags" / "contracts" / "x.odcs.yaml").read_text()
    assert "physicalType: text  # not certain: zeros stand before some numbers" in text
    assert "day and month can't be told apart: %d/%m/%Y or %m/%d/%Y as sourceDateFormat" in text
    assert text.count("primaryKey: true, if that is meant") == 2
    assert "required" not in text.partition("apiVersion")[2]


def test_a_word_for_null_among_texts_is_asked_for(tmp_path: Path) -> None:
    drafted(tmp_path, "sex,year\nmale,2007\nNA,NA\nfemale,2008\n")
    text = (tmp_path / "dags" / "contracts" / "x.odcs.yaml").read_text()
    assert "physicalType: text  # not certain: NA stands among the texts; name it under sourceNull if it means no value" in text


def test_no_rule_is_made_of_a_few_records(tmp_path: Path) -> None:
    drafted(tmp_path, "id,name\n1,a\n2,b\n3,c\n")
    assert "primaryKey" not in (tmp_path / "dags" / "contracts" / "x.odcs.yaml").read_text()


def test_names_for_the_table_are_plain_and_none_is_there_twice() -> None:
    names = ["", "Sepal.Length", "sepalLength", "1960", "é", "a" * 80, "a" * 80]
    assert table_names(names) == ["column_1", "sepal_length", "sepal_length_2", "c_1960", "column_5", "a" * 60, "a" * 57 + "_2"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "is no file"),
        (lambda path: path.mkdir(), "is no file"),
        (lambda path: path.write_bytes(b""), "the file has no lines"),
        (lambda path: path.write_bytes(b"a,b\n"), "the source has a header but no record"),
        (lambda path: path.write_bytes(gzip.compress(b"a,b\n1,2\n")[:-5]), "damaged or cut off"),
    ],
)
def test_a_file_without_records_has_no_draft(make: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    make(tmp_path / "x.csv")
    with pytest.raises(SourceError, match=said):
        draft(tmp_path / "x.csv", tmp_path / "dags" / "contracts" / "x.odcs.yaml")


def test_the_command_writes_a_contract_and_overwrites_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, at = tmp_path / "data" / "Big Sales.csv", tmp_path / "dags" / "contracts" / "big_sales.odcs.yaml"
    path.parent.mkdir()
    path.write_text(HEADER + ROWS + "31,1\n")
    assert write(Wanted([str(path)], output=at)) == 1
    told = capsys.readouterr()
    assert "table big_sales, 3 columns" in told.out
    assert "1 records are bad under any contract" in told.err
    assert "line 32: the line is too short" in told.err
    assert load_contract(at).source.path == path
    assert write(Wanted([str(path)], output=at)) == 1
    assert "is there already" in capsys.readouterr().err
    assert write(Wanted([])) == 2


def test_kinds_of_long_texts_are_found_at_once() -> None:
    for text in ("1" * 100_000, "1," * 50_000, "1.5e" + "9" * 100_000, "a" * 1_000_000):
        assert kind_of(text) in ("text", "digits")
