"""Which interpreter the set-up takes: one that is an executable whole, if there is one, before the first on PATH."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchstream.paths import ROOT

NOTES_WHAT_IT_IS_ASKED = """#!/bin/sh
case $1 in --version) echo "uv {version}"; exit;; esac
echo "$@" >{folder}/asked
mkdir -p {folder}/.venv/bin
cp {nothing} {folder}/.venv/bin/python
"""

needs_whole = pytest.mark.skipif(
    "libpython" in Path("/proc/self/maps").read_text(), reason="the interpreter of the tests is no whole one"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose uv only notes what it is asked for: that takes an interpreter, and is not what is tested."""
    for name in ("uv.lock", "jars.lock", "pyproject.toml", "scripts/bootstrap", "scripts/uv-requirements.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    pins = (line.split() for line in (tmp_path / "scripts" / "uv-requirements.txt").read_text().splitlines())
    version = next(words[0].removeprefix("uv==") for words in pins if words and words[0].startswith("uv=="))
    text = NOTES_WHAT_IT_IS_ASKED.format(version=version, folder=tmp_path, nothing=shutil.which("true"))
    _program(tmp_path / ".batchstream/uv/bin/uv", text)
    return tmp_path


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _whole(path: Path) -> Path:
    return _program(path, f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" "$@"\n')


def _in_a_shared_library(path: Path) -> Path:
    """Like an interpreter that was built with --enable-shared: a library of that name is loaded into its process."""
    library = path.parent / f"libpython-{path.name}.so"
    some_library = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libm.so" in line)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(some_library, library)
    return _program(path, f'#!/bin/sh\nLD_PRELOAD="{library}" exec "{Path(sys.executable).resolve()}" "$@"\n')


def _chosen(clone: Path) -> Path:
    path = os.pathsep.join([str(clone / "bin"), os.environ["PATH"]])
    done = subprocess.run(
        [clone / "scripts" / "bootstrap"], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path((clone / "asked").read_text().split("--python ")[1].strip())


@needs_whole
def test_a_whole_one_goes_before_the_first_on_path(clone: Path) -> None:
    _in_a_shared_library(clone / "bin" / "python3")
    whole = _whole(clone / "bin" / "python3.11")
    assert _chosen(clone) == whole


@needs_whole
def test_the_first_on_path_is_taken_if_it_is_a_whole_one(clone: Path) -> None:
    first = _whole(clone / "bin" / "python3")
    _whole(clone / "bin" / "python3.11")
    assert _chosen(clone) == first
