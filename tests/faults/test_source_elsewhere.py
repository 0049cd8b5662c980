"""A source on another machine goes the whole way; a load keeps the content of its first try."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from batchstream.errors import LoadError, PlaceError, SourceError
from tests.support.http_files import HttpFiles, answered, http_files
from tests.support.pipeline import Pipeline


class Served(Pipeline):
    """Housing, whose source an HTTP server has; what was its file is the content to compare with."""

    files: HttpFiles
    local: Path

    def shows_source(self) -> bool:
        found = self.checksum()
        self.edit_contract(lambda document: _at(document, "data/housing.csv"))
        wanted = self.expected_checksum()
        self.edit_contract(lambda document: _at(document, self.files.url("/housing.csv")))
        return found == wanted


def _at(document: dict[str, Any], path: str) -> None:
    next(entry for entry in document["customProperties"] if entry["property"] == "sourcePath")["value"] = path


@pytest.fixture
def served(pipeline: Pipeline) -> Iterator[Served]:
    found = Served(pipeline.installation, pipeline.spark, pipeline.contract_path)
    found.local = pipeline.contract.source.file
    with http_files() as found.files:
        url = found.files.put("/housing.csv", found.local.read_bytes())
        found.edit_contract(lambda document: _at(document, url))
        yield found


def test_a_source_on_an_http_server_is_published(served: Served, admin: psycopg.Connection) -> None:
    load_id = served.land()
    assert served.finish(load_id).published_rows == 506
    url = served.files.url("/housing.csv")
    assert served.ledger(load_id)["source_path"] == url
    noted = admin.execute("SELECT path, records FROM batchstream.source_files WHERE load_id = %s", [load_id]).fetchall()
    assert noted == [(url, 506)]
    assert tuple(served.reload())[:3] == (0, 0, 0)


def test_a_second_try_gets_the_content_of_the_first(served: Served) -> None:
    load_id = served.produced()
    content = served.local.read_bytes()
    served.files.put("/housing.csv", content.replace(b"0.00632", b"0.00633"))
    with pytest.raises(LoadError, match="the source has another content than the try before read"):
        served.produce(load_id)
    served.files.put("/housing.csv", content)
    served.produce(load_id)


def test_a_source_that_is_cut_off_sends_nothing(served: Served) -> None:
    load_id = served.open()
    served.create_topic(load_id)
    content = served.local.read_bytes()
    served.files.answers["/housing.csv"] = lambda handler: answered(
        handler, 200, content[: len(content) // 2], Content_Length=len(content)
    )
    with pytest.raises(PlaceError, match="the source was cut off"):
        served.produce(load_id)
    assert served.ledger(load_id)["state"] == "opened"
    served.files.answers.clear()
    with pytest.raises(SourceError, match="there is no such file: 404"):
        served.open()
