"""Sources in an object store and on an SFTP server: listed, read whole, or red."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from batchstream.airflow import stored_place
from batchstream.airflow.places import opened_place
from batchstream.contract import Contract
from batchstream.errors import BatchstreamError, ConnectionSettingsError, PlaceError, SourceChangedError, SourceError
from batchstream.load.spool import copied, look_at
from batchstream.records.source_reader import SourceReader
from tests.support.s3_files import SECRET, client_of, s3_files
from tests.support.sftp_files import sftp_files
from tests.unit.building import make_contract
from tests.unit.test_servers import read as read_servers
from tests.unit.test_servers import written

TEXT = {"name": "t", "physicalType": "text", "required": True}
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FILES = {
    "day/b.csv": b"t\nb\n",
    "day/a.csv": b"t\n" + b"a\n" * 250,
    "day/.hidden": b"x",
    "day/deeper/c.csv": b"t\nc\n",
    "x.txt": b"t\nx\n",
}


def read(contract: Contract) -> tuple[int, list[str]]:
    """How many records there are, and the names of the files."""
    with copied(contract, opened_place) as readable:
        reader = SourceReader(readable)
        assert list(reader)
        return reader.records, [str(file.path) for file in reader.files]


def refused(contract: Contract) -> BatchstreamError:
    with pytest.raises(BatchstreamError) as caught:
        read(contract)
    return caught.value


@pytest.fixture(autouse=True)
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """At the end none is left."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def connect(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps(fields))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of a server that speaks as S3 does, with the files in a bucket."""
    with s3_files(FILES) as address:
        yield address


@pytest.fixture
def lake(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    extra = {"endpoint_url": s3, "region_name": "us-east-1"}
    connect(monkeypatch, conn_type="aws", login="anna", password=SECRET, extra=extra)
    return s3


def at(folder: Path, url: str, **settings: Any) -> Contract:
    return make_contract(folder, [TEXT], sourcePath=url, sourceConnection="lake", **settings)


@pytest.mark.parametrize(
    ("path", "records", "names"),
    [
        ("day/a.csv", 250, ["day/a.csv"]),
        ("day/*.csv", 251, ["day/a.csv", "day/b.csv"]),
        ("day/", 251, ["day/a.csv", "day/b.csv"]),
        ("day", 251, ["day/a.csv", "day/b.csv"]),
        ("day/[ab].c?v", 251, ["day/a.csv", "day/b.csv"]),
    ],
)
def test_files_of_a_bucket_are_read(path: str, records: int, names: list[str], lake: str, tmp_path: Path) -> None:
    contract = at(tmp_path, f"s3://lake/{path}")
    look_at(contract, opened_place)
    assert read(contract) == (records, [f"s3://lake/{name}" for name in names])


@pytest.mark.parametrize("url", ["s3://lake/no.csv", "s3://lake/no/", "s3://lake/no-*.csv", "s3://no/x.csv"])
def test_no_file_is_told(url: str, lake: str, tmp_path: Path) -> None:
    for look in (lambda contract: look_at(contract, opened_place), read):
        with pytest.raises(SourceError, match="there is no such file"):
            look(at(tmp_path, url))


def changed(address: str, name: str, content: bytes) -> Callable[..., Iterator[bytes]]:
    """Reads a file as ever, and then something happens to another one."""
    whole = stored_place.StoredPlace.read

    def read(self: stored_place.StoredPlace, file: Any) -> Iterator[bytes]:
        yield from whole(self, file)
        client_of(address).put_object(Bucket="lake", Key=name, Body=content)

    return read


@pytest.mark.parametrize("name", ["changing/a.csv", "changing/new.csv"])
def test_a_bucket_that_changes_while_it_is_copied_is_red(
    name: str, lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_of(lake).put_object(Bucket="lake", Key="changing/a.csv", Body=b"t\na\n")
    client_of(lake).put_object(Bucket="lake", Key="changing/b.csv", Body=b"t\na\n")
    client_of(lake).delete_object(Bucket="lake", Key="changing/new.csv")
    monkeypatch.setattr(stored_place.StoredPlace, "read", changed(lake, name, b"t\nz\n"))
    error = refused(at(tmp_path, "s3://lake/changing/*.csv"))
    assert isinstance(error, SourceChangedError)
    assert "the source changed while it was copied" in str(error)


def test_a_file_of_a_bucket_that_is_cut_off_is_red(lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_place.StoredPlace, "read", lambda _self, _file: iter([FILES["day/a.csv"][:100]]))
    error = refused(at(tmp_path, "s3://lake/day/a.csv"))
    assert isinstance(error, PlaceError)
    assert "the source was cut off: 100 of 502 bytes arrived" in str(error)


def test_a_store_that_is_not_there_is_tried_again(lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1", "config_kwargs": {"retries": {"max_attempts": 0}}}
    connect(monkeypatch, conn_type="aws", login="anna", password=SECRET, extra=extra)
    error = refused(at(tmp_path, "s3://lake/x.txt"))
    assert isinstance(error, PlaceError)
    assert 'Could not connect to the endpoint URL: "http://127.0.0.1:1' in str(error)
    assert SECRET not in str(error)


def test_the_endpoint_of_a_server_is_that_of_the_connection(lake: str, tmp_path: Path) -> None:
    server = {"server": "lake", "type": "s3", "location": "s3://lake/x.txt", "format": "csv", "endpointUrl": f"{lake}/"}
    contract = read_servers(written(tmp_path, server, sourceConnection="lake")).contract
    look_at(contract, opened_place)
    contract = read_servers(written(tmp_path, server | {"endpointUrl": "https://other"}, sourceConnection="lake")).contract
    with pytest.raises(ConnectionSettingsError, match=f"endpointUrl is https://other, but the connection says {lake}"):
        look_at(contract, opened_place)


class Drop(NamedTuple):
    folder: Path
    port: int
    host_key: str


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drop]:
    """A server with the files."""
    folder = tmp_path_factory.mktemp("drop")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with sftp_files(folder) as server:
        yield Drop(folder, *server)


def log_in(monkeypatch: pytest.MonkeyPatch, port: int, password: str = "a secret", **extra: Any) -> None:
    extra = {"no_host_key_check": "true"} | extra
    connect(monkeypatch, conn_type="sftp", host="127.0.0.1", port=port, login="anna", password=password, extra=extra)


@pytest.mark.parametrize(
    ("path", "records", "names"),
    [
        ("day/a.csv", 250, ["day/a.csv"]),
        ("day/*.csv", 251, ["day/a.csv", "day/b.csv"]),
        ("day/", 251, ["day/a.csv", "day/b.csv"]),
    ],
)
def test_files_of_an_sftp_server_are_read(
    path: str, records: int, names: list[str], drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch, drop.port, no_host_key_check="false", host_key=drop.host_key)
    contract = at(tmp_path, f"sftp://127.0.0.1:{drop.port}/{path}")
    look_at(contract, opened_place)
    assert read(contract) == (records, [f"sftp://127.0.0.1:{drop.port}/{name}" for name in names])


def test_no_file_of_an_sftp_server_is_told(drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, drop.port)
    for path in ("no.csv", "no-*.csv"):
        error = refused(at(tmp_path, f"sftp://127.0.0.1:{drop.port}/{path}"))
        assert isinstance(error, SourceError)
        assert "there is no such file" in str(error)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"password": "wrong"}, "it is refused to connection 'lake': Permission denied for user anna"),
        ({"no_host_key_check": "false"}, "it is refused to connection 'lake': HostKeyNotVerifiable"),
        ({"no_host_key_check": "false", "host_key": OTHER_KEY}, "it is refused to connection 'lake': HostKeyNotVerifiable"),
    ],
)
def test_a_log_in_that_is_refused_is_told(
    extra: dict[str, str], said: str, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch, drop.port, **extra)
    error = refused(at(tmp_path, f"sftp://127.0.0.1:{drop.port}/x.txt"))
    assert isinstance(error, ConnectionSettingsError)
    assert said in str(error)


def test_an_sftp_server_that_is_not_there_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, 1)
    error = refused(at(tmp_path, "sftp://127.0.0.1:1/x.txt"))
    assert isinstance(error, PlaceError)
    assert "Connect call failed ('127.0.0.1', 1)" in str(error)


def test_the_host_of_a_url_is_that_of_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, 2022)
    error = refused(at(tmp_path, "sftp://example.com/x.txt"))
    assert isinstance(error, ConnectionSettingsError)
    assert "connection 'lake' is for 127.0.0.1:2022; write the same host and port into both" in str(error)


def test_a_file_of_an_sftp_server_that_changes_is_red(drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, drop.port)
    whole = stored_place.StoredPlace.read

    def read(self: stored_place.StoredPlace, file: Any) -> Iterator[bytes]:
        yield from whole(self, file)
        with (drop.folder / "x.txt").open("ab") as more:
            more.write(b"y\n")

    monkeypatch.setattr(stored_place.StoredPlace, "read", read)
    assert isinstance(refused(at(tmp_path, f"sftp://127.0.0.1:{drop.port}/x.txt")), SourceChangedError)


def test_a_package_that_is_not_there_is_named(tmp_path: Path) -> None:
    # No environment of ours has Google's.
    error = refused(make_contract(tmp_path, [TEXT], sourcePath="gs://lake/x.csv"))
    assert isinstance(error, SourceError)
    assert "gs:// needs a package; pip install apache-airflow-providers-google gcsfs" in str(error)


@pytest.mark.parametrize("url", ["s3://lake/x.csv", "https://example.com/x.csv", "sftp://example.com/x.csv"])
def test_a_connection_that_is_not_there_is_told(url: str, tmp_path: Path) -> None:
    """Of each place: that of S3 would go on without credentials."""
    error = refused(at(tmp_path, url))
    assert isinstance(error, ConnectionSettingsError)
    assert "there is no connection 'lake'; make it in Airflow, or mend sourceConnection" in str(error)
