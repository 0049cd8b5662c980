"""`batchstream contract check`: what contracts make, their mistakes, and an exit status for scripts."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pre_commit.clientlib import load_manifest

from batchstream.paths import ROOT
from tests.conftest import HOUSING, ORDERS

CONTRACT = HOUSING.read_text()


def check(*paths: Path | str) -> subprocess.CompletedProcess[str]:
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


def test_it_shows_the_table_and_what_has_no_effect(tmp_path: Path) -> None:
    done = check(ORDERS)
    assert (done.returncode, done.stderr) == (0, "")
    assert '  CREATE TABLE "public"."orders" (\n      "order_number" text NOT NULL,\n' in done.stdout
    assert '      PRIMARY KEY ("order_number")\n  );\n  CREATE INDEX ON "public"."orders" ("ordered_on");\n' in done.stdout
    assert "  note: line 4: id: has no effect: is for people\n" in done.stdout


def test_a_swap_shows_the_partitioned_table(tmp_path: Path) -> None:
    path = tmp_path / "housing.odcs.yaml"
    path.write_text(CONTRACT.replace("- property: topic\n", "- {property: publish, value: swap}\n  - property: topic\n"))
    assert 'PARTITION BY LIST ("load_id");' in check(path).stdout


def test_a_table_without_key_shows_the_number_of_the_record() -> None:
    assert 'TABLE "public"."housing" (\n      "id" bigint NOT NULL,\n      "crim" double precision' in check(HOUSING).stdout


def test_a_folder_stands_for_its_contracts(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "housing.odcs.yaml").write_text(CONTRACT)
    done = check(tmp_path / "a", tmp_path / "a" / "housing.odcs.yaml", ORDERS)
    assert (done.returncode, done.stdout.count(": good\n"), done.stderr) == (0, 2, "")
    (tmp_path / "b").mkdir()
    done = check(tmp_path / "a", tmp_path / "b")
    assert done.returncode == 1
    assert f"there is no contract in {tmp_path / 'b'}" in done.stderr


def test_all_of_it_is_json_for_other_tools(tmp_path: Path) -> None:
    bad = tmp_path / "bad.odcs.yaml"
    bad.write_text(CONTRACT.replace("kind: DataContract", "kind: x").replace("v3.1.0", "v3.9.9"))
    done = check(bad, ORDERS, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    first, second = json.loads(done.stdout)
    assert (first["path"], first["valid"], len(first["mistakes"])) == (str(bad), False, 2)
    assert first["mistakes"][1] == {
        "path": str(bad),
        "line": 3,
        "field": "kind",
        "rule": "kind: must be DataContract; got 'x'",
        "found": "x",
        "write": "write DataContract",
        "message": f"{bad}: line 3: kind: must be DataContract; got 'x'; write DataContract",
    }
    assert (second["dataset"], second["valid"], second["mistakes"]) == ("orders", True, [])
    assert second["table"].startswith('CREATE TABLE "public"."orders" (')
    assert (second["rules"][1], len(second["next"]), second["schedule"]) == ("at least one order", 5, "30 4 * * *")
    assert "line 4: id: has no effect: is for people" in second["notes"]


def test_pre_commit_knows_the_hook() -> None:
    (hook,) = load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    assert hook["entry"] == "batchstream contract check"
    assert re.search(hook["files"], "dags/contracts/housing.odcs.yaml")
