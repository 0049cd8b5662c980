"""`batchstream contract check`: what contracts make, their mistakes, and an exit status for scripts."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import HOUSING

CONTRACT = HOUSING.read_text()


def check(*paths: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "batchstream.cli.main", "contract", "check", *paths]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_contract_of_ours_is_good() -> None:
    done = check()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{HOUSING}: good\n  table housing, 14 columns, key id, the number of the record in its source\n" in done.stdout


def test_it_shows_the_next_five_times(tmp_path: Path) -> None:
    path = tmp_path / "housing.odcs.yaml"
    path.write_text(CONTRACT.replace('"@daily"', '"30 4 * * *"'))
    assert path.read_text() != CONTRACT
    today = datetime.now(UTC)
    done = check(path)
    first = today.replace(hour=4, minute=30) + timedelta(days=(today.hour, today.minute) >= (4, 30))
    times = ", ".join(f"{first + timedelta(days=day):%Y-%m-%d %H:%M}" for day in range(5))
    assert done.returncode == 0, done.stderr
    assert f"  schedule 30 4 * * *; next, in UTC: {times}\n" in done.stdout


@pytest.mark.parametrize("schedule", ["*/5 0 4 * * *", "0 0 31 2 *"])
def test_a_mistake_is_told_and_keeps_no_other_contract_from_being_checked(tmp_path: Path, schedule: str) -> None:
    bad, good = tmp_path / "bad.odcs.yaml", tmp_path / "housing.odcs.yaml"
    bad.write_text(CONTRACT.replace('"@daily"', f'"{schedule}"').replace("name: housing", "name: bad"))
    good.write_text(CONTRACT)
    done = check(bad, good)
    assert done.returncode == 1
    assert f"{good}: good" in done.stdout
    assert str(bad) not in done.stdout
    assert f"error: {bad}: line 28: customProperties" in done.stderr
    assert schedule in done.stderr


def test_no_contract_at_all_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCHSTREAM_CONTRACTS", str(tmp_path))
    done = check()
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no contract" in done.stderr
