"""What the documents point at exists, and each claim has its test."""

import re
import subprocess
from pathlib import Path

import pytest

from batchstream.local.housekeeping import KEPT_DAYS, TABLES
from batchstream.paths import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("data/*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (document.parent / link.partition("#")[0]).exists(), link


def test_every_claim_of_the_readme_names_its_test() -> None:
    claims = (ROOT / "README.md").read_text(encoding="utf-8").partition("the test that shows it")[2].partition("\n## ")[0]
    rows = [line for line in claims.splitlines() if line.startswith("| ") and not line.startswith("| claim")]
    assert rows
    assert all("](tests/" in row for row in rows)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    named = re.findall(
        r"`((?:dags|plugins|spark_apps|sql|tests|docs|data|scripts)/[\w./-]+)`", document.read_text(encoding="utf-8")
    )
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


def test_what_is_said_to_be_in_a_module_is_defined_there() -> None:
    told = re.findall(r"`(plugins/[\w/]+\.py)`: `(\w+)`", (ROOT / "docs" / "structure.md").read_text(encoding="utf-8"))
    assert told
    assert [
        (path, name)
        for path, name in told
        if not re.search(rf"^(\s*(def|class) )?{name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ] == []


@pytest.mark.parametrize("room", ["contract", "records", "postgres", "local"])
def test_every_module_of_a_large_room_is_in_one_of_its_chapters(room: str) -> None:
    folder = ROOT / "plugins" / "batchstream" / room
    chapters = re.findall(r"`(\w+)`", (folder / "__init__.py").read_text(encoding="utf-8").partition("|---|---|")[2])
    modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert modules - {"__init__"} <= set(chapters)
    assert len(chapters) == len(set(chapters))


def test_every_target_that_the_readme_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named
    assert named <= targets


def test_the_job_for_docker_removes_what_make_run_removes() -> None:
    told = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    assert f"--tables {','.join(TABLES)} " in told
    assert f"{KEPT_DAYS} days ago" in told


def test_the_cache_of_uv_lies_where_the_readme_says() -> None:
    """Outside of the clone, so that removing the clone leaves it."""
    command = ".batchstream/uv/bin/uv cache dir"
    assert f"the cache of uv (`{command}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    said = subprocess.run(command.split(), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not (ROOT / said.strip()).is_relative_to(ROOT)
