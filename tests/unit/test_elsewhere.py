"""What a contract may say of a source that lies on another machine; nothing here asks that machine."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.contract.elsewhere import Url
from batchstream.contract.source import SourceFormat
from batchstream.errors import ContractError, SourceError
from tests.unit.building import make_contract
from tests.unit.test_servers import LOCAL, read, written

TEXT = {"name": "t", "physicalType": "text"}


def place(folder: Path, **settings: Any) -> Url:
    found = make_contract(folder, [TEXT], **settings).source.path
    assert isinstance(found, Url)
    return found


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://example.com:8443/a/x.csv?day=1", ("https", "example.com:8443", "a/x.csv?day=1", False)),
        ("s3://bucket/a b/x-?.csv.gz", ("s3", "bucket", "a b/x-?.csv.gz", True)),
        ("gs://bucket/folder/", ("gs", "bucket", "folder/", False)),
        ("sftp://host:2022/x-*.csv", ("sftp", "host:2022", "x-*.csv", True)),
    ],
)
def test_a_url_is_a_source(url: str, parts: tuple[Any, ...], tmp_path: Path) -> None:
    found = place(tmp_path, sourcePath=url, sourceConnection="shop")
    assert (str(found), found.connection) == (url, "shop")
    assert (found.scheme, found.host, found.key, found.is_pattern) == parts


@pytest.mark.parametrize(
    ("url", "settings", "said"),
    [
        (
            "https://anna:pw@example.com/x.csv",
            {},
            "sourcePath: got a URL with a user or a password, and a URL is shown; put them",
        ),
        ("s3://pw@bucket/x.csv", {}, "sourcePath: got a URL with a user or a password"),
        ("https://example.com/x.csv?a=1&X-Amz-Signature=pw", {}, "got a URL whose parameter X-Amz-Signature may be a secret"),
        ("https://example.com/x.csv?sig=pw", {}, "got a URL whose parameter sig may be a secret"),
        ("https://example.com/*.csv", {}, "but https can't list files; write the URL of one file"),
        ("https:///x.csv", {}, "without a host or a bucket"),
        ("https://[x/y.csv", {}, "got a URL that can't be read (Invalid IPv6 URL)"),
        ("s3://b*/x.csv", {}, "a pattern of hosts or buckets"),
        ("jdbc:postgresql://h/d", {}, "got a URL of jdbc:postgresql://; write a path, or a URL of http, https, s3, gs, sftp"),
        ("ftp://example.com/x.csv", {}, "got a URL of ftp://; write a path, or a URL of http, https, s3, gs, sftp"),
        ("sftp://example.com/x.csv", {"sourceConnection": None}, "which needs a user; make an Airflow connection of type sftp"),
        (f"s3://bucket/{'x' * 2000}", {}, "write a URL of at most 2,000 bytes"),
        ("s3://bucket/x\ny", {}, "in printable characters"),
        (
            "s3://bucket/x",
            {"sourceConnection": "batchstream_postgres"},
            "sourceConnection: got 'batchstream_postgres'; write the id",
        ),
        ("s3://bucket/x", {"sourceConnection": "a b"}, "sourceConnection: got 'a b'"),
        ("x.csv", {}, "sourceConnection: has no meaning for a path; remove it"),
    ],
)
def test_what_is_no_source_is_told_without_its_secrets(url: str, settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    given = {name: value for name, value in ({"sourceConnection": "shop"} | settings).items() if value is not None}
    with pytest.raises(ContractError) as caught:
        make_contract(tmp_path, [TEXT], sourcePath=url, **given)
    assert said in str(caught.value)
    assert "pw" not in str(caught.value)


def test_a_url_may_hold_words_of_a_run_but_no_secret_by_them(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT], sourcePath="https://{{ params.host }}/{{ ds }}.csv", sourceConnection="shop")
    found = contract.of_run({"ds": "2026-01-31", "params.host": "example.com"}).source.path
    assert isinstance(found, Url)
    assert (str(found), found.connection) == ("https://example.com/2026-01-31.csv", "shop")
    with pytest.raises(SourceError, match="got a URL with a user or a password") as caught:
        contract.of_run({"ds": "2026-01-31", "params.host": "anna:pw@example.com"})
    assert "pw" not in str(caught.value)


S3 = {"server": "lake", "type": "s3", "location": "s3://b/*.json", "format": "json", "delimiter": "new_line", "encoding": "UTF-8"}
SFTP = {"server": "drop", "type": "sftp", "location": "sftp://h/x.csv", "format": "csv", "delimiter": ";"}


def test_a_server_of_files_is_the_source(tmp_path: Path) -> None:
    found = read(written(tmp_path, S3 | {"endpointUrl": "https://minio.example"}, sourceConnection="shop"))
    source = found.contract.source
    assert source.path == Url("s3://b/*.json", "shop", "https://minio.example")
    assert source.format is SourceFormat.JSON
    assert found.told == ()
    source = read(written(tmp_path, SFTP, sourceConnection="shop")).contract.source
    assert (str(source.path), source.delimiter) == ("sftp://h/x.csv", ";")


def test_a_local_server_goes_before_others(tmp_path: Path) -> None:
    found = read(written(tmp_path, S3, LOCAL))
    assert isinstance(found.contract.source.path, Path)
    assert [told.partition(": ")[2] for told in found.told] == [
        "servers[0]: s3 'lake' has no effect: the server of type local is the source"
    ]


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ([S3, SFTP], "servers: one of type s3 or sftp is the source; got lake, drop; keep one, or write sourcePath"),
        ([S3 | {"location": None}], "servers[0].location: is missing; write the source file"),
        ([S3 | {"location": "https://b/x"}], "servers[0].location: got 'https://b/x'; write a URL that begins with s3://"),
        ([S3 | {"location": "s3://a:pw@b/x"}], "servers: location: got a URL with a user or a password"),
    ],
)
def test_a_mistake_of_a_server_is_told(servers: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        read(written(tmp_path, *servers))
    assert said in str(caught.value)
    assert "pw" not in str(caught.value)
