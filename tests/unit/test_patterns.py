"""Patterns of contracts are RE2's: linear in the text, with the meaning that the standard has, or refused with a reason."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchstream.contract import Contract
from batchstream.contract.patterns import Pattern
from batchstream.errors import ContractError, SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.source_reader import SourceReader
from tests.unit.building import make_contract, write_source


def contract_of(folder: Path, pattern: str) -> Contract:
    column: dict[str, Any] = {"name": "t", "physicalType": "text", "logicalTypeOptions": {"pattern": pattern}}
    return make_contract(folder, [column], rejectedRecordsAllowed=1)


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", r"^(.*a){20}$", r"a.*b.*c.*d.*e", r"\s+$"],
)
@pytest.mark.parametrize("text", ["a" * 131_000 + "!", " " * 131_000 + "x"], ids=["letters", "blanks"])
def test_no_pattern_hangs(pattern: str, text: str, tmp_path: Path) -> None:
    contract = contract_of(tmp_path, pattern)
    write_source(contract, f"t\n{text}\n{'a' * 20}{'b' * 20}abcde  \n".encode())
    reader = SourceReader(contract)
    begun = time.monotonic()
    with suppress(SourceError):
        list(reader)
    assert time.monotonic() - begun < 5
    assert reader.records == 2


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"^(?=.*\d).+$", "RE2 has none such, as its time could grow without bound (invalid perl operator: (?=)"),
        (r"(?<!a)b", "as its time could grow without bound"),
        (r"(a)\1", r"as its time could grow without bound (invalid escape sequence: \1)"),
        (r"a*+", "as its time could grow without bound (bad repetition operator: *+)"),
        ("(", "RE2 has none such (missing ): ()"),
        ("a{1001}", "RE2 has none such (invalid repetition size: {1001})"),
        (r"a\Z", r"RE2 has none such (invalid escape sequence: \Z)"),
    ],
)
def test_another_pattern_is_refused_with_the_reason(pattern: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        contract_of(tmp_path, pattern)
    said = str(caught.value)
    assert f"column 't': logicalTypeOptions: pattern: got {pattern!r}: " in said
    assert why in said
    assert said.endswith("write a regular expression in the syntax of RE2, https://github.com/google/re2/wiki/Syntax")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^AB-[0-9]{4}$", ["AB-0001"], ["AB-1", "AB-00012", "xAB-0001", "AB-0001\n"]),
        ("b", ["abc", "b"], ["a", ""]),
        (r"^[$x]\$?a$", ["$a", "x$a"], ["$a\n", "$a "]),
        (r"^\d+$", ["12"], ["\u0661\u0662"]),
        (r"^\pL+$", ["Ångström", "李雷"], ["a1"]),
        ("^.$", ["é", "😀"], ["", "ab", "\n"]),
        ("(?i)^abc$", ["ABC"], ["ab"]),
        ("", ["", "x"], []),
    ],
)
def test_a_pattern_means(pattern: str, good: list[str], bad: list[str], tmp_path: Path) -> None:
    codec = RecordCodec(contract_of(tmp_path, pattern))
    for texts, rejected in ((good, []), (bad, list(range(len(bad)))), ([*good, *bad], [len(good) + n for n in range(len(bad))])):
        if texts:
            value = codec.encode([codec_text(text) for text in texts])
            decoded = codec.decode(value)
            assert [one.position for one in decoded.rejected] == rejected
            assert all(one.reason.endswith(f"does not match the pattern {pattern}") for one in decoded.rejected)


def codec_text(text: str) -> bytes:
    import msgspec

    return msgspec.json.encode(text)


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(st.sampled_from("ab1 \n é"), max_size=20), pattern=st.sampled_from(["^a+b", "(a|b)*1$", "a b", r"\s", "[^a]$"])
)
def test_the_quick_answer_is_the_exact_one(text: str, pattern: str) -> None:
    found = Pattern(pattern)
    assert found.matches(text) is (found._exact.search(text.encode()) is not None)


@pytest.mark.parametrize(
    "field", ["0" * 131_000 + "x", "-" + "0" * 131_000 + ".x", "1" * 131_000 + "e", "." + "1" * 131_000 + "x"]
)
def test_no_spelling_of_a_number_hangs(field: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "n", "physicalType": "double precision"}], rejectedRecordsAllowed=1)
    write_source(contract, f"n\n{field}\n1\n".encode())
    begun = time.monotonic()
    assert len(list(SourceReader(contract))) == 1
    assert time.monotonic() - begun < 2
