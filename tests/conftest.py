"""Services for the tests: the embedded ones, on ports and in a folder of their own, shared by all tests of a run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from batchstream.contract import Contract, load_contract
from batchstream.postgres import setup
from batchstream.services.installation import Installation
from tests.support.cluster import Cluster
from tests.support.pipeline import Pipeline
from tests.support.spark import SharedSpark

TESTS = Path(__file__).parent
HOUSING = TESTS.parent / "dags" / "contracts" / "housing.odcs.yaml"
ORDERS = TESTS / "datasets" / "dags" / "contracts" / "orders.odcs.yaml"


def make_state() -> Path:
    """A folder that PostgreSQL's account can reach too, also when the tests run as root."""
    state = Path(tempfile.mkdtemp(prefix="batchstream-test-"))
    state.chmod(0o711)
    return state


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    found = Installation(make_state())
    try:
        found.up()
        yield found
    finally:
        found.down()
        found.postgres.remove()
        shutil.rmtree(found.state, ignore_errors=True)


@pytest.fixture(scope="session")
def spark(installation: Installation) -> Iterator[SharedSpark]:
    shared = SharedSpark(installation)
    try:
        yield shared
    finally:
        shared.stop()


@pytest.fixture(scope="session")
def cluster(installation: Installation) -> Iterator[Cluster]:
    found = Cluster(installation)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def housing() -> Contract:
    return load_contract(HOUSING)


@pytest.fixture(scope="session")
def orders() -> Contract:
    return load_contract(ORDERS)


@pytest.fixture
def admin(installation: Installation) -> Iterator[psycopg.Connection]:
    """A superuser's connection to kafka_streaming, for looking and for breaking things."""
    with installation.postgres.connect(setup.DATABASE) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A copy of the project's contract and source, to be changed by a test."""
    shutil.copytree(TESTS.parent / "dags" / "contracts", tmp_path / "dags" / "contracts")
    shutil.copytree(TESTS.parent / "data", tmp_path / "data")
    return tmp_path


@pytest.fixture
def pipeline(installation: Installation, spark: SharedSpark, dataset: Path) -> Pipeline:
    """The steps of a reload as functions, over a copy of housing in a dataset of the test's own."""
    name = f"housing_{os.urandom(4).hex()}"
    contract = dataset / "dags" / "contracts" / "housing.odcs.yaml"
    text = contract.read_text().replace("- name: housing\n", f"- name: {name}\n")
    contract.write_text(text.replace("value: housing-data", f"value: {name.replace('_', '-')}"))
    return Pipeline(installation, spark, contract)
