"""Another tool of the standard, datacontract-cli, takes our contracts, and finds in our tables what they promise."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg import sql

from batchstream.local import ports
from batchstream.local.installation import Installation
from batchstream.paths import ROOT
from batchstream.postgres import names
from tests.conftest import HOUSING, ORDERS, copy_dataset
from tests.support.whole import WholeDataset
from tests.unit.test_official_schema import FRUIT

UV = ROOT / ".batchstream" / "uv" / "bin" / "uv"
TOOL = "datacontract-cli[postgres]==1.2.8"

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def datacontract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, in an environment of its own."""
    folder = tmp_path_factory.mktemp("datacontract")
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", TOOL], check=True)
    return folder / "bin" / "datacontract"


def run(datacontract: Path, command: str, contract: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables, "COLUMNS": "200"}
    return subprocess.run(
        [datacontract, command, contract], env=environment, cwd=contract.parent, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("contract", [HOUSING, ORDERS, FRUIT], ids=lambda path: path.name)
def test_our_contracts_pass_its_lint(datacontract: Path, contract: Path) -> None:
    done = run(datacontract, "lint", contract)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("original", [HOUSING, ORDERS], ids=lambda path: path.name)
def test_a_loaded_table_passes_its_test(
    datacontract: Path, original: Path, installation: Installation, admin: psycopg.Connection, tmp_path: Path
) -> None:
    path = copy_dataset(original, tmp_path / "copy")
    document = yaml.safe_load(path.read_text())
    address = {"host": ports.LOOPBACK, "port": installation.ports["postgres"], "database": names.DATABASE, "schema": "public"}
    path.write_text(yaml.safe_dump(document | {"servers": [{"server": "local", "type": "postgres", **address}]}, sort_keys=False))
    WholeDataset.of(installation, path).load_as_it_is()
    login = {
        "DATACONTRACT_POSTGRES_USERNAME": names.READER,
        "DATACONTRACT_POSTGRES_PASSWORD": installation.secrets[names.READER],
    }
    done = run(datacontract, "test", path, **login)
    assert done.returncode == 0, done.stdout + done.stderr
    # It does look at the table.
    table = document["schema"][0]
    old, name = sql.Identifier(table["properties"][1]["name"]), sql.Identifier(table["name"])
    admin.execute(sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO other").format(name, old))
    assert run(datacontract, "test", path, **login).returncode == 1
