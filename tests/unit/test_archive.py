"""The class-data archive is made anew when what it was made of changes."""

from pathlib import Path

import pytest

from batchstream.services import archive


def test_another_training_makes_another_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = archive.archive_path(tmp_path, "some.jar")
    assert archive.archive_path(tmp_path, "some.jar") == before
    assert archive.archive_path(tmp_path, "other.jar") != before
    training = tmp_path / "train.py"
    training.write_text("another training")
    monkeypatch.setattr(archive, "TRAINING_APPLICATION", training)
    assert archive.archive_path(tmp_path, "some.jar") != before
