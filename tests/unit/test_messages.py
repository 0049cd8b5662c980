"""Keys of messages: ours come back as they were, and another's is told and never an error."""

from typing import Any

import msgspec
import pytest

from batchstream.records.codec import shorten
from batchstream.records.messages import Batch, MessageKey, Signer, UnknownKey, decode_key, load_messages

SECRET = bytes(range(32))


@pytest.mark.parametrize("load_id", [1, 7, 2**63 - 1])
@pytest.mark.parametrize(("batch", "first"), [(1, 1), (2, 2), (2, 101), (6, 310), (1, 2), (2**40, (2**40 - 1) * 100 + 1)])
def test_a_key_comes_back(load_id: int, batch: int, first: int) -> None:
    signer = Signer(load_id, 3, SECRET)
    found = decode_key(signer.key(batch, first, b"[1]"))
    assert isinstance(found, MessageKey)
    assert (found.load_id, found.attempt, found.batch, found.first_record_id) == (load_id, 3, batch, first)
    assert signer.signed(found, b"[1]")
    assert not signer.signed(found, b"[2]")
    assert not Signer(load_id, 3, bytes(32)).signed(found, b"[1]")


def test_a_batch_has_a_key_that_does_not_change() -> None:
    """Worked out by openssl (mac, GMAC): what signs today's messages reads those that another version of this code has sent."""
    ((found, _),) = load_messages(Signer(3, 1, SECRET), [Batch(1, b"[{}]")])
    mac = "e045cf5bacb05de5f1ea8a4e2d86bb29"
    assert found == b'{"load_id":3,"attempt":1,"batch":1,"first_record_id":1,"mac":"%s"}' % mac.encode()


VALUE = b'[{"a":1}]'
GENUINE = decode_key(Signer(5, 2, SECRET).key(3, 201, VALUE))


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"attempt": 1}, VALUE),
        ({"attempt": 3}, VALUE),
        ({"batch": 4}, VALUE),
        ({"first_record_id": 202}, VALUE),
        ({"mac": ""}, VALUE),
        ({"mac": "0" * 32}, VALUE),
        ({"mac": "é"}, VALUE),
        ({}, b'[{"a":2}]'),
        ({}, VALUE + b" "),
        ({}, VALUE[:-1]),
        ({}, b""),
        ({}, None),
        # What is signed before the value has a fixed width, so nothing moves from one to the other.
        ({"first_record_id": 0}, (201).to_bytes(8, "big") + VALUE),
    ],
)
def test_a_signature_fits_nothing_but_its_message(changes: dict[str, Any], value: bytes | None) -> None:
    assert isinstance(GENUINE, MessageKey)
    assert Signer(5, 7, SECRET).signed(GENUINE, VALUE)
    assert not Signer(5, 7, SECRET).signed(msgspec.structs.replace(GENUINE, **changes), value)
    assert not Signer(6, 2, SECRET).signed(GENUINE, VALUE)
    for cut in (GENUINE.mac[:-1], GENUINE.mac + "0", GENUINE.mac.upper()):
        assert not Signer(5, 7, SECRET).signed(msgspec.structs.replace(GENUINE, mac=cut), VALUE)


def key(load_id: str = "1", batch: str = "2", first: str = "101", more: str = "", attempt: str = "1") -> bytes:
    return f'{{"load_id":{load_id},"attempt":{attempt},"batch":{batch},"first_record_id":{first},"mac":""{more}}}'.encode()


@pytest.mark.parametrize(("load_id", "attempt"), [(0, 0), (1, 2**31 - 1)])
def test_a_key_may_have_any_number_that_postgresql_counts_by(load_id: int, attempt: int) -> None:
    assert decode_key(key(str(load_id), attempt=str(attempt))) == MessageKey(load_id, attempt, 2, 101, "")


def test_blanks_and_order_make_no_difference() -> None:
    found = decode_key(b'{ "mac": "x", "first_record_id": 101, "attempt": 4, "batch": 2,\n"load_id": 1 }')
    assert found == MessageKey(1, 4, 2, 101, "x")


def case(name: str, value: bytes | None) -> object:
    return pytest.param(value, id=name)


@pytest.mark.parametrize(
    "value",
    [
        case("no byte", b""),
        case("a word", b"hello"),
        case("a number", b"5"),
        case("null", b"null"),
        case("an array", b"[1,2,101]"),
        case("an empty object", b"{}"),
        case("a missing field", b'{"load_id":1,"batch":2}'),
        case("no signature", b'{"load_id":1,"attempt":1,"batch":2,"first_record_id":101}'),
        case("another field", key(more=',"x":1')),
        case("other fields", b'{"id":1}'),
        case("text for a number", key(load_id='"1"')),
        case("a fraction", key(load_id="1.5")),
        case("a whole number with a point", key(batch="2.0")),
        case("nothing for a number", key(load_id="null")),
        case("true for a number", key(load_id="true")),
        case("NaN", key(load_id="NaN")),
        case("1e400", key(load_id="1e400")),
        case("5,000 digits", key(load_id="9" * 5000)),
        case("something after the end", key() + b"x"),
        case("half of it", key()[:-1]),
        case("bytes that are not UTF-8", b"\xff\xfe"),
        case("U+0000", b"\0"),
        case("deep nesting", b"[" * 100_000),
        case("5 MB", b"x" * 5_000_000),
    ],
)
def test_a_key_is_not_a_loads_if_it_is(value: bytes) -> None:
    found = decode_key(value)
    assert isinstance(found, UnknownKey)
    assert found.reason.startswith("the message's key is not a load's: ")
    assert "\0" not in found.reason
    assert len(found.reason) < 200


@pytest.mark.parametrize(
    "value",
    [
        case("the first record of the batch before", key(first="1")),
        case("less records before it than batches", key(batch="3", first="2")),
        case("batch 0", key(batch="0", first="-99")),
        case("a negative batch", key(batch="-1", first="-199")),
        case("a record beyond all counting", key(first=str(2**63))),
        case("a try beyond all counting", key(attempt=str(2**31))),
        case("a negative try", key(attempt="-1")),
        case("a negative load", key(load_id="-1")),
    ],
)
def test_a_key_contradicts_itself_with(value: bytes) -> None:
    assert decode_key(value) == UnknownKey(f"the message's key contradicts itself: {shorten(value.decode())}")


def test_no_key_belongs_to_no_load() -> None:
    assert decode_key(None) == UnknownKey("the message has no key, so it belongs to no load")
