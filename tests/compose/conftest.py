"""An engine, images, and the stack of docker-compose.yaml running on them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from batchstream.paths import ROOT
from tests.compose.airflow_api import AirflowApi
from tests.compose.clients import plugin_environment
from tests.compose.commands import CommandError
from tests.compose.engine import Engine, NoEngineError
from tests.compose.images import base_images, ensure_images, remove_stand_ins
from tests.compose.stack import ADDRESS, Stack

OVERLAYS = sorted(path.name for path in ROOT.glob("docker-compose.*.yaml"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder: it needs an engine and minutes, so it runs by a command of its own."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.compose)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the containers' logs with a failure."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        report.sections.append(("containers", stack.logs()))
    return report


@pytest.fixture(scope="session")
def own_engine() -> Iterator[Engine]:
    """An engine that runs."""
    found = Engine()
    try:
        try:
            found.start()
        except NoEngineError as error:
            pytest.skip(str(error))
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def engine(own_engine: Engine) -> dict[str, str]:
    """Environment for docker's client: the engine, with Compose and BuildKit's client."""
    try:
        return {**own_engine.environment, **plugin_environment(own_engine.environment)}
    except NoEngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def images(own_engine: Engine, engine: Mapping[str, str]) -> Iterator[dict[str, bool]]:
    """Every foreign image of the compose files, by its tag: whether it is a stand-in. Ours are built by the first start."""
    stack = Stack(engine, *OVERLAYS)
    stack.prepare()
    wanted = base_images(ROOT / "Dockerfile")
    for files in ((), *((overlay,) for overlay in OVERLAYS)):
        wanted |= Stack(engine, *files).foreign_images()
    try:
        try:
            found = ensure_images(wanted, engine)
        except NoEngineError as error:
            pytest.skip(str(error))
        stack.remove_built_images()
        yield found
    finally:
        if not own_engine.own:
            remove_stand_ins(engine)


def running(engine: Mapping[str, str], *overlays: str) -> Iterator[Stack]:
    """Start a stack; stop it and remove all of it afterwards."""
    found = Stack(engine, *overlays)
    found.down()
    try:
        try:
            found.up()
        except CommandError as error:
            pytest.fail(f"{error}\n{found.logs()}")
        yield found
    finally:
        found.down()


@pytest.fixture(scope="module")
def stack(engine: Mapping[str, str], images: dict[str, bool]) -> Iterator[Stack]:
    """The stack without overlays."""
    yield from running(engine)


@pytest.fixture(scope="module")
def airflow(stack: Stack) -> AirflowApi:
    """Airflow's API, logged in as the user of .env."""
    return AirflowApi(ADDRESS, stack.setting("AIRFLOW_USER"), stack.secret("airflow_ui_password"))
