"""Services for the tests: the embedded ones, on ports and in a folder of their own, shared by all tests of a run."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import yaml
from hypothesis import HealthCheck, settings

from batchstream.contract import Contract, load_contract
from batchstream.local.installation import Installation
from batchstream.postgres import names
from tests.support.cluster import Cluster
from tests.support.pipeline import Pipeline
from tests.support.spark import SharedSpark

TESTS = Path(__file__).parent
HOUSING = TESTS.parent / "dags" / "contracts" / "housing.odcs.yaml"
ORDERS = TESTS / "datasets" / "dags" / "contracts" / "orders.odcs.yaml"

ODD_FOLDER = Path("a folder with spaces", "données, ünï 数据 😀", "50% #1 (x) 'y' $z & \\\\", *["long" * 50] * 3, "state")

SERVICES_VARIABLE = "BATCHSTREAM_TEST_SERVICES"
"""Environment variable that names the folder of services that run already: see `tests.support.postgres_alone`."""

# How long an example takes says how busy the machine is. A change is judged by the same examples each time; .ci/nightly looks
# for new ones, by --hypothesis-profile=search.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("search"), derandomize=True)
settings.load_profile("same")


def pytest_configure() -> None:
    """Stop the services also when the tests are ended by a signal, or run in the background of a script."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def make_state() -> Path:
    """A folder that PostgreSQL's account can reach too, also when the tests run as root."""
    state = Path(tempfile.mkdtemp(prefix="batchstream-test-"))
    state.chmod(0o711)
    return state


@contextmanager
def running_installation() -> Iterator[Installation]:
    """Services in a folder of their own, stopped and removed at the end; or those that somebody keeps running for many tests."""
    if kept := os.environ.get(SERVICES_VARIABLE):
        yield Installation(Path(kept))
        return
    found = Installation(make_state())
    try:
        found.up()
        yield found
    finally:
        found.down()
        found.postgres.remove()
        shutil.rmtree(found.state, ignore_errors=True)


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    with running_installation() as found:
        yield found


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
    with installation.postgres.connect(names.DATABASE) as connection:
        connection.autocommit = True
        yield connection


def copy_dataset(contract: Path, folder: Path) -> Path:
    """Copy a contract, under a name and a topic of its own, and its source; returns the contract."""
    copied = folder / "dags" / "contracts" / contract.name
    copied.parent.mkdir(parents=True)
    shutil.copytree(contract.parents[2] / "data", folder / "data")
    document = yaml.safe_load(contract.read_text())
    name = f"{document['schema'][0]['name']}_{os.urandom(4).hex()}"
    document["schema"][0]["name"] = name
    next(entry for entry in document["customProperties"] if entry["property"] == "topic")["value"] = name.replace("_", "-")
    copied.write_text(yaml.safe_dump(document, sort_keys=False))
    return copied


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A copy of the project's contracts and sources, to be changed by a test."""
    shutil.copytree(HOUSING.parent, tmp_path / "dags" / "contracts")
    shutil.copytree(HOUSING.parents[2] / "data", tmp_path / "data")
    return tmp_path


@pytest.fixture
def pipeline(installation: Installation, spark: SharedSpark, tmp_path: Path) -> Pipeline:
    """The steps of a reload as functions, over a copy of housing."""
    return Pipeline(installation, spark, copy_dataset(HOUSING, tmp_path / "housing"))


@pytest.fixture
def orders_pipeline(installation: Installation, spark: SharedSpark, tmp_path: Path) -> Pipeline:
    """The same over a copy of orders."""
    return Pipeline(installation, spark, copy_dataset(ORDERS, tmp_path / "orders"))
