"""The standard's own ``servers`` say where the source is, if no ``sourcePath`` does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from batchstream.contract import load_contract
from batchstream.contract.odcs import ReadContract, read_contract
from batchstream.contract.source import SourceFormat
from batchstream.contract.text import contract_text
from tests.conftest import HOUSING
from tests.unit.building import mistake_of, write_contract

LOCAL = {"server": "here", "type": "local", "path": "data/y.csv", "format": "csv"}
POSTGRES = {"server": "there", "type": "postgres", "host": "localhost", "port": "${DB_PORT}", "database": "x", "schema": "y"}


def written(folder: Path, *servers: dict[str, Any], **settings: Any) -> Path:
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "servers": list(servers),
        "customProperties": [{"property": name, "value": value} for name, value in settings.items()],
        "schema": [{"name": "x", "properties": [{"name": "a", "physicalType": "int"}]}],
    }
    return write_contract(folder, yaml.safe_dump(document))


def read(path: Path) -> ReadContract:
    return read_contract(contract_text(path), path)


def test_a_local_server_is_the_source(tmp_path: Path) -> None:
    found = read(written(tmp_path, POSTGRES, {**LOCAL, "delimiter": ";", "encoding": "UTF-8"}))
    source = found.contract.source
    assert (source.path, source.format, source.delimiter) == (tmp_path / "data" / "y.csv", SourceFormat.CSV, ";")
    assert [told.partition(": ")[2] for told in found.told] == ["servers[0]: postgres 'there' has no effect: it is no file"]


def test_a_tool_may_have_written_the_delimiter_as_a_property(tmp_path: Path) -> None:
    path = written(tmp_path, {**LOCAL, "customProperties": [{"property": "delimiter", "value": "|"}]})
    assert load_contract(path).source.delimiter == "|"


def test_a_property_goes_before_what_a_server_says(tmp_path: Path) -> None:
    source = load_contract(written(tmp_path, {**LOCAL, "delimiter": ";"}, sourceDelimiter="|", sourceNull="-")).source
    assert (source.path.name, source.delimiter, source.spelling.nulls) == ("y.csv", "|", ("-",))
    found = read(written(tmp_path, {**LOCAL, "delimiter": ";"}, sourcePath="data/z.csv"))
    assert (found.contract.source.path.name, found.contract.source.delimiter) == ("z.csv", ",")
    (told,) = found.told
    assert told.endswith("servers[0]: local 'here' has no effect: customProperties say where the source is")


def test_a_variable_of_the_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, {**LOCAL, "path": "${LAKE}/${YEAR}.csv"})
    monkeypatch.setenv("YEAR", "2026")
    monkeypatch.delenv("LAKE", raising=False)
    found = read(path)
    # Not every process has it, and only the one that reads the source needs it.
    assert found.contract.source.path == tmp_path / "${LAKE}" / "2026.csv"
    assert found.told[0].endswith("servers[0].path: the variable LAKE is not set here")
    monkeypatch.setenv("LAKE", str(tmp_path / "lake"))
    assert load_contract(path).source.path == tmp_path / "lake" / "2026.csv"


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ([], "customProperties: sourcePath is missing; write the source file, relative to the project's folder, or a server"),
        ([POSTGRES], "customProperties: sourcePath is missing; write the source file"),
        (
            [LOCAL, {**LOCAL, "server": "b"}],
            "servers: one of type local is the source; got here, b; keep one, or write sourcePath",
        ),
        ([{**LOCAL, "path": None}], "servers[0].path: is missing; write the source file"),
        ([{**LOCAL, "format": "orc"}], "servers: format: got 'orc'; write one of "),
        ([{**LOCAL, "encoding": "utf-99"}], "servers: encoding: got 'utf-99'; write the name of an encoding"),
        ([{**LOCAL, "path": "${PGPASSWORD}"}], "servers[0].path: got ${PGPASSWORD}, whose name is that of a secret"),
        ([{**LOCAL, "path": "${AIRFLOW_CONN_X}"}], "servers[0].path: got ${AIRFLOW_CONN_X}, whose name"),
    ],
)
def test_a_mistake_is_told(servers: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    assert mistake_of(written(tmp_path, *servers)).startswith(said)


def test_housing_has_no_server() -> None:
    assert not [told for told in read(HOUSING).told if "servers" in told]
