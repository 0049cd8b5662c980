"""The class-data archive is made anew when what it was made of changes."""

import os
import time
from pathlib import Path

import pytest

from batchstream.local.quick_start import archive


def test_a_training_that_failed_is_tried_again_after_a_day(tmp_path: Path) -> None:
    path = tmp_path / "classes-1.jsa"
    assert archive.is_due(path)
    tried = path.with_suffix(".tried")
    tried.touch()
    assert not archive.is_due(path)
    os.utime(tried, (0, time.time() - archive.RETRY_SECONDS - 1))
    assert archive.is_due(path)
    path.touch()
    assert not archive.is_due(path)


def test_another_training_makes_another_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = archive.archive_path(tmp_path, "some.jar")
    assert archive.archive_path(tmp_path, "some.jar") == before
    assert archive.archive_path(tmp_path, "other.jar") != before
    assert {path.name for path in archive.MADE_OF} == {"spark_home.py", "train.py", "session.py", "archive.py", "private.py"}
    for path in archive.MADE_OF:
        changed = tmp_path / path.name
        changed.write_bytes(path.read_bytes() + b"# changed")
        monkeypatch.setattr(archive, "MADE_OF", [changed if other == path else other for other in archive.MADE_OF])
        assert archive.archive_path(tmp_path, "some.jar") != before
        monkeypatch.undo()
    monkeypatch.setattr(archive, "version", lambda _: "another Spark")
    assert archive.archive_path(tmp_path, "some.jar") != before
