"""What others build on is what docs/api.txt says: a break is seen here before a user sees it."""

import difflib
import shutil
from pathlib import Path

from batchstream.paths import ROOT
from scripts.public_api import FILE, public_api


def changes(now: str) -> list[str]:
    """Lines of the public API that are gone or new."""
    compared = difflib.unified_diff(
        FILE.read_text(encoding="utf-8").splitlines(), now.splitlines(), "said", "is", n=0, lineterm=""
    )
    return [line for line in compared if not line.startswith(("---", "+++", "@@"))]


def test_the_public_api_is_what_is_said() -> None:
    found = changes(public_api())
    assert found == [], (
        "the public API has changed; if that is meant, run `.venv/bin/python scripts/public_api.py`, commit docs/api.txt, and "
        "tell users in CHANGELOG.md; a line that is gone (-) breaks what they have, so say there what to write instead"
    )


def test_a_parameter_with_another_name_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "plugins" / "batchstream", tmp_path / "batchstream")
    pipeline = tmp_path / "batchstream" / "airflow" / "pipeline.py"
    pipeline.write_text(pipeline.read_text().replace("group_id: str | None = None", "name: str | None = None"))
    gone, new = changes(public_api(tmp_path))
    assert gone.startswith("-python      batchstream.airflow.reload_group(contract: Path | str, group_id: str | None = None,")
    assert new.startswith("+python      batchstream.airflow.reload_group(contract: Path | str, name: str | None = None,")
