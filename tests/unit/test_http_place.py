"""A source on a real HTTP server: read whole, or red."""

import gzip
import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from batchstream.airflow import http_place
from batchstream.airflow.places import opened_place
from batchstream.contract import Contract
from batchstream.errors import (
    BatchstreamError,
    ConnectionSettingsError,
    PlaceError,
    SourceChangedError,
    SourceError,
    SourceMissingError,
    TerminalError,
)
from batchstream.load import spool
from batchstream.load.spool import copied, look_at
from batchstream.records.read_files import ReadFile
from batchstream.records.source_reader import SourceReader
from tests.support.http_files import Answer, HttpFiles, answered, http_files, whole
from tests.unit.building import make_contract

TEXT = {"name": "t", "physicalType": "text", "required": True}
CONTENT = b"t\n" + b"x\n" * 250


@pytest.fixture(scope="module")
def server() -> Iterator[HttpFiles]:
    with http_files() as found:
        yield found


@pytest.fixture
def files(server: HttpFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpFiles]:
    """The server without any file; at the end no copy is left."""
    server.answers.clear()
    server.requests.clear()
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    yield server
    assert list(copies.iterdir()) == []


def read(contract: Contract) -> tuple[bytes, list[ReadFile]]:
    """All records, and what the ledger notes of the files."""
    with copied(contract, opened_place) as readable:
        reader = SourceReader(readable)
        return b"".join(batch.value for batch in reader), reader.files


def refused(contract: Contract) -> BatchstreamError:
    with pytest.raises(BatchstreamError) as caught:
        read(contract)
    return caught.value


def connect(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "http", "host": "127.0.0.1", **fields}))


def test_no_connection_is_used_twice(files: HttpFiles, tmp_path: Path) -> None:
    """A server may close one that is idle just when the next request is on its way, and would look as if it were gone."""

    def kept_open(handler: BaseHTTPRequestHandler) -> None:
        whole(CONTENT)(handler)
        handler.close_connection = False

    files.answers["/x.csv"] = kept_open
    read(make_contract(tmp_path, [TEXT], sourcePath=files.url("/x.csv")))
    ports = [request.port for request in files.requests]
    assert len({*ports}) == len(ports) > 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_file_is_read_by_its_url(pack: Any, files: HttpFiles, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT], sourcePath=files.put("/a/x.csv?day=1", pack(CONTENT)))
    look_at(contract, opened_place)
    value, (file,) = read(contract)
    assert value.count(b'{"t":"x"}') == 250
    assert (str(file.path), file.records) == (files.url("/a/x.csv?day=1"), 250)


def test_a_message_names_the_url(files: HttpFiles, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT | {"physicalType": "integer"}], sourcePath=files.put("/x.csv", b"t\n1\nx\n"))
    assert str(refused(contract)).startswith(f"{files.url('/x.csv')}: line 3")


def test_a_header_is_looked_at_before_a_record_is_given(files: HttpFiles, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT], sourcePath=files.put("/x.csv", b"u\nx\n"))
    with pytest.raises(SourceError, match=r"/x\.csv: line 1: the header is not the contract's"), copied(contract, opened_place):
        pytest.fail("something could have been sent")


def test_chunks_are_read_to_their_end(files: HttpFiles, tmp_path: Path) -> None:
    chunks = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (CONTENT[:100], CONTENT[100:], b""))
    files.answers["/x.csv"] = lambda handler: answered(handler, 200, chunks, Transfer_Encoding="chunked")
    value, _ = read(make_contract(tmp_path, [TEXT], sourcePath=files.url("/x.csv")))
    assert value.count(b"{") == 250


BROKEN: dict[str, tuple[Answer, type[BatchstreamError], str]] = {
    "cut off": (
        lambda handler: answered(handler, 200, CONTENT[:100], Content_Length=len(CONTENT)),
        PlaceError,
        "the source was cut off: the server ended after 100 bytes",
    ),
    "chunks cut off": (
        lambda handler: answered(handler, 200, b"4\r\nt\nx\n\r\n", Transfer_Encoding="chunked"),
        PlaceError,
        "the source was cut off: the server ended after 4 bytes",
    ),
    "no length": (
        lambda handler: answered(handler, 200, CONTENT),
        SourceError,
        "says neither how long the file is nor where it ends",
    ),
    "missing": (
        lambda handler: answered(handler, 404, Content_Length=0),
        SourceMissingError,
        "there is no such file: 404 Not Found",
    ),
    "forbidden": (
        lambda handler: answered(handler, 403, Content_Length=0),
        SourceError,
        "refuses it: 403 Forbidden; write an Airflow connection",
    ),
    "busy": (lambda handler: answered(handler, 503, Content_Length=0), PlaceError, "can't answer now: 503"),
    "teapot": (lambda handler: answered(handler, 418, Content_Length=0), SourceError, "answers 418 I'm a Teapot and not 200"),
    "round and round": (
        lambda handler: answered(handler, 302, Location="/x.csv", Content_Length=0),
        SourceError,
        "leads to more than 10 other URLs",
    ),
    "to a file": (
        lambda handler: answered(handler, 302, Location="file:///etc/passwd", Content_Length=0),
        SourceError,
        "can't be asked",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_source_that_is_not_whole_is_red(how: str, files: HttpFiles, tmp_path: Path) -> None:
    files.answers["/x.csv"], kind, said = BROKEN[how]
    error = refused(make_contract(tmp_path, [TEXT], sourcePath=files.url("/x.csv")))
    assert type(error) is kind
    assert said in str(error)
    assert error.path == files.url("/x.csv")


def test_a_place_that_gives_less_than_it_says_is_red(files: HttpFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its client notices."""
    contract = make_contract(tmp_path, [TEXT], sourcePath=files.put("/x.csv", CONTENT))
    monkeypatch.setattr(http_place.HttpPlace, "read", lambda _self, _file: iter([CONTENT[:102]]))
    assert "the source was cut off: 102 of 502 bytes arrived" in str(refused(contract))


def test_a_source_that_changes_while_it_is_copied_is_red(files: HttpFiles, tmp_path: Path) -> None:
    for second in (whole(CONTENT, '"2"'), whole(CONTENT + b"y\n")):
        answers = iter([whole(CONTENT), second, second])
        files.answers["/x.csv"] = lambda handler, answers=answers: next(answers)(handler)
        error = refused(make_contract(tmp_path, [TEXT], sourcePath=files.url("/x.csv")))
        assert isinstance(error, SourceChangedError)
        assert "the source changed while it was copied (it had 502 bytes, mark" in str(error)
        assert not isinstance(error, TerminalError)


def test_a_host_that_is_not_there_is_named(files: HttpFiles, tmp_path: Path) -> None:
    with socket.socket() as taken:
        # Bound, and not listening.
        taken.bind(("127.0.0.1", 0))
        error = refused(make_contract(tmp_path, [TEXT], sourcePath=f"http://127.0.0.1:{taken.getsockname()[1]}/x.csv"))
    assert isinstance(error, PlaceError)
    assert "127.0.0.1 can't be reached: [Errno 111] Connection refused" in str(error)


def test_credentials_go_to_the_host_of_their_connection_only(
    files: HttpFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="httpx")
    files.put("/there.csv?signature=hidden", CONTENT)
    elsewhere = files.url("/there.csv?signature=hidden", "localhost")
    files.answers["/x.csv"] = lambda handler: answered(handler, 302, Location=elsewhere, Content_Length=0)
    connect(monkeypatch, login="anna", password="a secret", extra={"X-Api-Key": "another"})
    contract = make_contract(tmp_path, [TEXT], sourcePath=files.url("/x.csv"), sourceConnection="shop")
    read(contract)
    asked = {request.path: request.headers for request in files.requests}
    assert asked["/x.csv"]["Authorization"] == "Basic YW5uYTphIHNlY3JldA=="
    assert asked["/x.csv"]["X-Api-Key"] == "another"
    assert not {"Authorization", "X-Api-Key"} & {*asked["/there.csv?signature=hidden"]}
    assert "hidden" not in caplog.text
    connect(monkeypatch, host="other.example", password="a secret")
    error = refused(contract)
    assert isinstance(error, ConnectionSettingsError)
    assert "connection 'shop' is for host 'other.example'; write the host of the URL into it" in str(error)


def test_refused_credentials_name_their_connection(files: HttpFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, login="anna", password="a secret")
    files.answers["/x.csv"] = lambda handler: answered(handler, 401, Content_Length=0)
    error = refused(make_contract(tmp_path, [TEXT], sourcePath=files.url("/x.csv"), sourceConnection="shop"))
    assert isinstance(error, ConnectionSettingsError)
    assert "refuses it to connection 'shop': 401 Unauthorized; mend that" in str(error)


def test_no_room_for_the_copy_is_told(files: HttpFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = make_contract(tmp_path, [TEXT], sourcePath=files.put("/x.csv", CONTENT))
    copy = spool._copy
    # A device on which there never is room.
    monkeypatch.setattr(spool, "_copy", lambda place, file, path: copy(place, file, _full(path)))
    error = refused(contract)
    assert isinstance(error, PlaceError)
    assert "the copy can't be written to" in str(error)
    assert "No space left on device; make room there" in str(error)


def _full(path: Path) -> Path:
    class Full(type(path)):  # type: ignore[misc]
        def open(self, *_: Any, **__: Any) -> Any:
            return Path("/dev/full").open("wb")

    return Full(path)


def test_what_a_killed_worker_left_is_removed(files: HttpFiles, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT], sourcePath=files.put("/x.csv", CONTENT))
    left = Path(tempfile.gettempdir()) / "batchstream-source-left"
    left.mkdir()
    (left / "lock").touch()
    read(contract)
    # It may be about to take its lock.
    assert left.exists()
    old = time.time() - 3600
    os.utime(left / "lock", (old, old))
    with copied(contract, opened_place):
        assert not left.exists()
        with copied(contract, opened_place):
            others = [*Path(tempfile.gettempdir()).iterdir()]
    assert len(others) == 2


def test_without_airflow_nothing_is_copied(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT], sourcePath="https://example.com/x.csv")
    with pytest.raises(SourceError, match=r"https://example\.com/x\.csv: the source lies elsewhere, and only a load in Airflow"):
        list(SourceReader(contract))
