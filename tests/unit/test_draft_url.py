"""The contract that is drafted for the URL of a file: by a copy, which leaves nothing behind."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from batchstream.cli.contract_new import Wanted, write
from batchstream.errors import SourceError

CONTENT = b"n;label\n" + b"".join(b"%d;x%d\n" % (number, number) for number in range(30))


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if "missing" in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) + ("half" in self.path)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    found = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    thread.join()
    found.server_close()


def test_a_file_behind_a_url_is_drafted(server: str, tmp_path: Path) -> None:
    at = tmp_path / "dags" / "contracts" / "x.odcs.yaml"
    url = f"{server}/data/Some%20Sales.csv?year=2026"
    assert write(Wanted([url], output=at)) == 0
    found = yaml.safe_load(at.read_text())
    settings = {one["property"]: one["value"] for one in found["customProperties"]}
    assert settings == {"sourcePath": url, "sourceDelimiter": ";"}
    (table,) = found["schema"]
    assert table["name"] == "some_sales"
    assert [(column["name"], column["physicalType"]) for column in table["properties"]] == [("n", "integer"), ("label", "text")]
    assert "Drafted from Some Sales.csv" in at.read_text()


def test_what_can_not_be_downloaded_whole_is_told(server: str, tmp_path: Path) -> None:
    at = tmp_path / "x.odcs.yaml"
    with pytest.raises(SourceError, match=r"missing\.csv: can't be downloaded: HTTP Error 404"):
        write(Wanted([f"{server}/missing.csv"], output=at))
    with pytest.raises(SourceError, match=f"got {len(CONTENT)} of {len(CONTENT) + 1} bytes"):
        write(Wanted([f"{server}/half.csv"], output=at))
    with pytest.raises(SourceError, match="a contract holds no password") as caught:
        write(Wanted(["https://ann:s3cret@127.0.0.1/x.csv"], output=at))
    assert "s3cret" not in str(caught.value)
    assert not at.exists()


def test_one_source_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = tmp_path / "x.odcs.yaml"
    for wanted in (Wanted([], output=at), Wanted(["a", "b"], output=at), Wanted(["a.csv"], "a.b", output=at)):
        assert write(wanted) == 2
        assert "name the one source" in capsys.readouterr().err
