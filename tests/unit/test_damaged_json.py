"""Damaged JSON is taken apart at the right places."""

import time

import pytest

from batchstream.records.damaged_json import NotAnArrayError, NotAnObjectError, array_elements, object_pairs, storable


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        (b"[]", []),
        (b" \t\r\n[ \n ] ", []),
        (b"[1]", [b"1"]),
        (b"[ 1 ,\n2\t]", [b"1", b"2"]),
        (b"[1,]", [b"1", b""]),
        (b"[,]", [b"", b""]),
        (b"[,1]", [b"", b"1"]),
        (b'[{"a":[1,2]},[3,[4]]]', [b'{"a":[1,2]}', b"[3,[4]]"]),
        (b'["a,b","]","[{","\\"","\\\\"]', [b'"a,b"', b'"]"', b'"[{"', b'"\\""', b'"\\\\"']),
        (b"[NaN,oops x,01]", [b"NaN", b"oops x", b"01"]),
        (b'["\xff",\0]', [b'"\xff"', b"\0"]),
        (b"[{1],2]", [b"{1]", b"2"]),
    ],
)
def test_an_array_has_these_elements(value: bytes, elements: list[bytes]) -> None:
    assert array_elements(value) == elements


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "the message is not a JSON array but empty"),
        (b"{}", "the message is not a JSON array but begins with '{}'"),
        (b"x" * 99, f"the message is not a JSON array but begins with '{'x' * 20}'"),
        (b"[", "the message is not JSON: its end is missing"),
        (b"[1", "the message is not JSON: its end is missing"),
        (b"[[1]", "the message is not JSON: its end is missing"),
        (b'[1,"a]', "the message is not JSON: the quote at byte 3 is not closed"),
        (b'["a\\"]', "the message is not JSON: the quote at byte 1 is not closed"),
        (b"[1}", "the message is not JSON: expected ] and the end at byte 2, got '}'"),
        (b"[1]2", "the message is not JSON: expected ] and the end at byte 2, got ']2'"),
        (b"[1]]", "the message is not JSON: expected ] and the end at byte 2, got ']]'"),
    ],
)
def test_no_array_is_told(value: bytes, said: str) -> None:
    with pytest.raises(NotAnArrayError) as caught:
        array_elements(value)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        (b"{}", []),
        (b'{"a":1}', [("a", b"1")]),
        (b' { "a" :\n1 , "b":\t"x:y,}" } ', [("a", b"1"), ("b", b'"x:y,}"')]),
        (b'{"a":1,"a":2}', [("a", b"1"), ("a", b"2")]),
        (b'{"\\u0061":{"b":[1,2]}}', [("a", b'{"b":[1,2]}')]),
        (b'{"a":}', [("a", b"")]),
        (b'{"a":NaN x}', [("a", b"NaN x")]),
        (b'{"":1}', [("", b"1")]),
        (b'{"a:b":1}', [("a:b", b"1")]),
    ],
)
def test_an_object_has_these_pairs(raw: bytes, pairs: list[tuple[str, bytes]]) -> None:
    assert object_pairs(raw) == pairs


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "the record is not a JSON object but empty"),
        (b"[]", "the record is not a JSON object but begins with '[]'"),
        (b"{", "the record is not JSON: its end is missing"),
        (b"{]", "the record is not JSON: expected } and the end at byte 1, got ']'"),
        (b"{}x", "the record is not JSON: expected } and the end at byte 1, got '}x'"),
        (b'{"a"}', "the record is not JSON: expected a name and a colon, got '\"a\"'"),
        (b'{"a":1,}', "the record is not JSON: expected a name and a colon, got ''"),
        (b"{a:1}", "the record is not JSON: expected a name and a colon, got 'a:1'"),
        (b"{1:2}", "the record is not JSON: expected a name and a colon, got '1:2'"),
        (b'{"a":"b}', "the record is not JSON: the quote at byte 5 is not closed"),
    ],
)
def test_no_object_is_told(raw: bytes, said: str) -> None:
    with pytest.raises(NotAnObjectError) as caught:
        object_pairs(raw)
    assert str(caught.value) == said


@pytest.mark.parametrize("name", [rb'"\ud800"', rb'"\x"', b'"\xff"', b'"\n"'])
def test_a_name_that_is_no_text_is_told(name: bytes) -> None:
    with pytest.raises(NotAnObjectError, match=r"^the record is not JSON: "):
        object_pairs(b"{" + name + b":1}")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", ""),
        ("é😀".encode(), "é😀"),
        (b"a\0b", "a\\x00b"),
        (b"a\xffb", "a\\xffb"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"\xc3", "\\xc3"),
    ],
)
def test_any_bytes_can_be_stored_as_text(value: bytes, text: str) -> None:
    assert storable(value) == text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b'[{"a":"' + b"\\" * 5_000_000, id="backslashes"),
        pytest.param(b'["' + b'\\"' * 2_500_000, id="escaped quotes"),
        pytest.param(b"[" + b" " * 5_000_000, id="blanks"),
        pytest.param(b'[{"a"' + b" " * 5_000_000 + b"}]", id="blanks after a name"),
    ],
)
def test_5_mb_cost_one_pass(value: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=r"^the (message|record) is not JSON: "):
        object_pairs(array_elements(value)[0])
    assert time.process_time() - began < 5
