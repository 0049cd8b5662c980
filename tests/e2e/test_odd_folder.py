"""`make run`, backup and restore with ``LC_ALL=C``, below a long path with spaces, accents and characters beyond 16 bits."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchstream.local.installation import Installation
from tests.conftest import ODD_FOLDER, make_state
from tests.support.clone import Clone
from tests.support.commands import batchstream

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def top() -> Iterator[Path]:
    found = make_state()
    yield found
    shutil.rmtree(found)


def _installation(state: Path) -> Iterator[Installation]:
    found = Installation(state)
    try:
        yield found
    finally:
        found.clean()


@pytest.fixture(scope="module")
def odd(top: Path) -> Iterator[Clone]:
    """State, contract and source below the folder, and a data set that was loaded there."""
    for installation in _installation(top / ODD_FOLDER):
        clone = Clone(installation, top / ODD_FOLDER.parent / "clone")
        clone.write("item,price\npomme é 😀,1\nbanana,2\n")
        done = clone.run(LC_ALL="C")
        assert done.returncode == 0, done.stdout
        yield clone


def test_a_data_set_in_an_odd_folder_is_loaded(odd: Clone, top: Path) -> None:
    query = f"SELECT item FROM {odd.name} ORDER BY id"
    done = batchstream(odd.installation, "psql", "-X", "-Atc", query, LC_ALL="C")
    assert done.stdout == "pomme é 😀\nbanana\n"
    # Nothing was made beside it, in a folder of a name that was read wrongly.
    below = sorted(path.name for path in (top / ODD_FOLDER.parent).iterdir())
    assert below == ["clone", ODD_FOLDER.name]
    assert [path.name for path in top.iterdir()] == [ODD_FOLDER.parts[0]]


def test_a_restored_clone_reloads_without_a_change(odd: Clone, top: Path) -> None:
    file = top / ODD_FOLDER.parent / "clone" / "bäckup 😀"
    done = batchstream(odd.installation, "backup", str(file), LC_ALL="C")
    assert done.returncode == 0, done.stdout
    for installation in _installation(make_state()):
        clone = copy.copy(odd)
        clone.installation = installation
        done = batchstream(installation, "restore", str(file), LC_ALL="C")
        assert done.returncode == 0, done.stdout
        done = clone.run(LC_ALL="C")
        assert done.returncode == 0, done.stdout
        assert "0 inserted, 0 updated, 0 deleted" in done.stdout
        assert f"load 2 of {odd.name}: published" in done.stdout
