"""The YAML of a contract means what people read, or is refused; and it takes no more than a moment, whatever it holds."""

import time
from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import load_contract
from batchstream.contract.columns import MAX_COLUMNS
from batchstream.contract.document import MAX_SIZE, read_document
from batchstream.contract.mistake import MistakeError
from batchstream.contract.yaml_values import MAX_VALUES
from tests.conftest import HOUSING, ORDERS
from tests.unit.building import edited, mistake_of, mistakes_of, write_contract

MOMENT = 5
"""Seconds, of a machine that has other things to do, too: reading without limits takes minutes, or all memory."""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("yes", "no", "On", "off", "y", "n", "=", "0o", "1_a", "_1", "1:30", "12:30:00", "0 6 * * *")),
        *((day, day) for day in ("2024-01-31", "2020-13-45", "2024-01-31T10:00:00Z", "2024-01-31 10:00:00")),
        *((quoted, quoted.strip("'\"")) for quoted in ("'010'", '"1_000"', "'12'", "'no'", "'null'", "'<<'")),
        *(
            (number, float(number))
            for number in ("1e3", "1.5e3", ".5", "5.", "-1.50", "1E-7", "22.5328055", "0.0", "010.5", "+.5")
        ),
        *((number, int(number)) for number in ("0", "-5", "+7", "9007199254740993", "9" * 400)),
        *((nothing, None) for nothing in ("", "~", "null", "NULL")),
        ("true", True),
        ("False", False),
        ("!!str 010", "010"),
        ("|-\n 010", "010"),
    ],
)
def test_a_value_is_what_people_read(text: str, value: Any) -> None:
    found = read_document(f"a: {text}")["a"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("010", "write 10, or '010' in quotes"),
        ("-017", "write -17,"),
        ("08", "write 8,"),
        ("00", "write 0,"),
        ("0o10", "write 8,"),
        ("0x1F", "write 31,"),
        ("0b11", "write 3,"),
        ("1_000", "write 1000, or '1_000' in quotes"),
        ("1_000.5", "write 1000.5,"),
        ("1e-400", "double precision would hold as 0.0"),
        ("1e400", "double precision would hold as inf"),
        ("0.1234567890123456789", "double precision would hold as 0.12345678901234568"),
        ("12345678901234567.5", "double precision would hold as 1.2345678901234568e+16"),
        ("9" * 5000, "a number of 5000 digits; put it in quotes"),
        ("!!int '3'", "write the value without a tag"),
        ("!!python/object:os.system {}", "write the value without a tag"),
        ("!!omap [b: 1]", "write the value without a tag"),
        ('"\\0"', "without U+0000"),
        ("{b: 1, b: 2}", "key 'b' stands twice in one mapping; write it once"),
        ("{[b]: 1}", "a key must be a text"),
        ("{<<: {b: 1}}", "merge keys (<<) are not read; write the fields out"),
        ("*b", "alias *b has no anchor before it"),
        ("&b [*b]", "alias *b has no anchor before it"),
        ("1\n---\nb: 2", "keep one document in the file"),
    ],
)
def test_what_readers_of_yaml_disagree_about_is_refused(text: str, write: str, tmp_path: Path) -> None:
    found = mistakes_of(write_contract(tmp_path, f"# first line\na: {text}"))
    # Line 1 is where a field would stand that is missing.
    (said,) = [mistake for mistake in found if not mistake.startswith("line 1: ")]
    assert said.startswith(("line 2: ", "line 3: "))
    assert write in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "file: must be a mapping; got NoneType; write an ODCS contract", id="an empty file"),
        pytest.param("- a", "file: must be a mapping; got list; write an ODCS contract", id="a list"),
        pytest.param("a: b: c", "is not YAML: mapping values are not allowed", id="two colons in a line"),
        pytest.param("kind: [", "is not YAML: ", id="a bracket that is not closed"),
        pytest.param("a: \0", "is not YAML: unacceptable character #x0000", id="U+0000"),
        pytest.param('a: "\\ud800"', "is not YAML: while parsing a quoted scalar", id="half a character"),
    ],
)
def test_a_file_is_no_contract_if_it_is(text: str, said: str, tmp_path: Path) -> None:
    assert mistake_of(write_contract(tmp_path, text)).startswith(said)


def test_anchors_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    text = HOUSING.read_text().replace("minimum: 0\n", "minimum: &zero 0\n", 1).replace("minimum: 0\n", "minimum: *zero\n")
    assert "*zero" in text
    path = write_contract(tmp_path, HOUSING.read_text())
    expected = load_contract(path)
    path.write_text(f"\ufeff{text}")
    assert load_contract(path) == expected
    path.write_bytes(HOUSING.read_bytes().replace(b"\n", b"\r\n"))
    assert load_contract(path) == expected


@pytest.mark.parametrize(("word", "flag"), [("yes", True), ("on", True), ("no", False), ("off", False), ("true", True)])
def test_a_word_is_true_or_false_where_such_is_wanted_and_a_text_elsewhere(word: str, flag: bool, tmp_path: Path) -> None:
    edits = ("value: true", f"value: {word}"), ("value: express", "value: no")
    contract = load_contract(edited(tmp_path, ORDERS, *edits))
    assert contract.columns[3].indexed is flag
    assert contract.columns[-1].rules.allowed == ("standard", "no")
    contract = load_contract(edited(tmp_path, HOUSING, ("required: true", f"required: {word}")))
    assert contract.columns[0].nullable is not flag


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version: 1.0.0", "version: 1.0", "version: must be a text; got 1.0; put what you wrote in quotes"),
        ("- name: crim", "- name: 1960", "schema[0].properties[0].name: must be a text; got 1960; put what you wrote in quotes"),
        ("housing-data", "null", "customProperties: topic: got None; write a text, in quotes"),
        ("housing-data", "true", "customProperties: topic: got True; write a text, in quotes"),
    ],
)
def test_a_text_that_looks_like_something_else_needs_quotes(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert mistake_of(edited(tmp_path, HOUSING, (old, new))) == said


def bomb() -> str:
    """Nine lists, each of nine times the one before it."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("[" * 30_000, "levels deep", id="lists in lists"),
        pytest.param("{a: " * 30_000, "levels deep", id="mappings in mappings"),
        pytest.param("- " * 30_000, "levels deep", id="lists in lists, in YAML's own way"),
        pytest.param(bomb(), f"more than {MAX_VALUES:,} values", id="aliases of aliases"),
        pytest.param("a: &a {b: 1}\nc: [" + "*a," * 100_000 + "]", f"more than {MAX_VALUES:,} values", id="many aliases"),
        pytest.param("- a\n" * (MAX_VALUES + 1), f"more than {MAX_VALUES:,} values", id="many values"),
        pytest.param("a" * MAX_SIZE + "a", f"at most {MAX_SIZE:,} bytes", id="a large file"),
    ],
)
def test_a_contract_takes_a_moment_whatever_it_holds(text: str, rule: str, tmp_path: Path) -> None:
    begun = time.process_time()
    said = mistake_of(write_contract(tmp_path, text))
    assert time.process_time() - begun < MOMENT
    assert rule in said
    assert len(said) < 1000
    with pytest.raises(MistakeError, match=rule):
        read_document(text)


@pytest.mark.parametrize(("columns", "taken"), [(MAX_COLUMNS, True), (MAX_COLUMNS + 1, False), (20_000, False)])
def test_so_many_columns_take_a_moment(columns: int, taken: bool, tmp_path: Path) -> None:
    head = (
        "apiVersion: v3.1.0\nkind: DataContract\nversion: 1.0.0\ncustomProperties: [{property: sourcePath, value: x}]\n"
        "schema:\n- name: x\n  properties:\n"
    )
    rules = (
        "" if columns > 2 * MAX_COLUMNS else ", quality: [{metric: nullValues, mustBe: 0}, {metric: duplicateValues, mustBe: 0}]"
    )
    text = head + "".join(f"  - {{name: c{n}, physicalType: int{rules}}}\n" for n in range(columns))
    path = write_contract(tmp_path, text)
    begun = time.process_time()
    if taken:
        assert len(load_contract(path).columns) == columns
    else:
        assert mistake_of(path).endswith((f"got {columns:,}; write at most 1,590", "aliases repeat; shorten the contract"))
    assert time.process_time() - begun < MOMENT


def test_so_many_mistakes_take_a_moment(tmp_path: Path) -> None:
    rules = ", quality: [{metric: x, mustBe: 0}, {metrik: rowCount}, {type: sql, query: DELETE, mustBe: 0}]"
    text = "schema:\n- name: x\n  properties:\n" + "".join(
        f"  - {{name: C{n}, requird: 010{rules}}}\n" for n in range(MAX_COLUMNS)
    )
    path = write_contract(tmp_path, text)
    begun = time.process_time()
    assert mistakes_of(path)[-1].endswith("more mistakes; mend the first ones to see them")
    assert time.process_time() - begun < MOMENT
