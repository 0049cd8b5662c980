"""Old checkpoints are removed after a load has landed, which nothing that lies beside them can hinder."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from py4j.protocol import Py4JError

from batchstream.postgres.housekeeping import KEPT_LOADS
from batchstream.spark import checkpoints
from batchstream.spark.checkpoints import remove_old_checkpoints
from tests.support.spark import SharedSpark

# Of each, Python or Hadoop has its own idea: digits that are no number, a scheme, a pattern, an escape.
OTHERS = ("²-x", "٣-x", f"{'1' * 200}-x", "-5-x", "5:x", "a b", "5-*", "5-{a,b}", "5-%41", "5-é", ".5-x", "_-x")


def test_a_load_of_another_database_with_the_same_number_has_a_folder_of_its_own() -> None:
    """Restored or made anew, it counts from a number that was there before, and Spark would go on where that load ended."""
    now = datetime.now(UTC)
    folders = {checkpoints.checkpoint_folder("root", "fruit", 1, at) for at in (now, now + timedelta(microseconds=1))}
    assert len(folders) == 2


def test_whatever_lies_beside_them_old_checkpoints_go_and_no_load_fails(
    spark: SharedSpark, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "fruit"
    for name in (*OTHERS, *(f"{number}-x" for number in range(100, 100 + 2 * KEPT_LOADS))):
        (folder / name).mkdir(parents=True)
        (folder / name / "note").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (folder / "1-link").symlink_to(elsewhere)
    (folder / "2-link").symlink_to("nowhere")
    remove_old_checkpoints(spark.start(), str(tmp_path), "fruit", 99 + 2 * KEPT_LOADS)
    left = {path.name for path in folder.iterdir()}
    assert {name for name in left if name.startswith("10")} == {f"{100 + KEPT_LOADS + number}-x" for number in range(KEPT_LOADS)}
    assert {"²-x", "٣-x", "a b", "5:x"} <= left
    assert (elsewhere / "kept").exists()


def test_one_that_can_not_be_removed_is_told_and_keeps_no_other(
    spark: SharedSpark, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fruit"
    for number in range(2 * KEPT_LOADS):
        (folder / f"{number}-x").mkdir(parents=True)
    refused, unreachable = f"{KEPT_LOADS - 2}-x", f"{KEPT_LOADS - 3}-x"

    class Refusing:
        def __init__(self, real: object) -> None:
            self._real = real

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

        def delete(self, path: object, recursive: bool) -> bool:
            if str(path).endswith(unreachable):
                raise Py4JError("the file system is gone")
            return False if str(path).endswith(refused) else bool(self._real.delete(path, recursive))  # type: ignore[attr-defined]

    real = checkpoints.hadoop

    def refusing(session: object, path: str) -> tuple[object, object]:
        file_system, place = real(session, path)
        return Refusing(file_system), place

    monkeypatch.setattr(checkpoints, "hadoop", refusing)
    with caplog.at_level(logging.WARNING):
        remove_old_checkpoints(spark.start(), str(tmp_path), "fruit", 2 * KEPT_LOADS)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [refused, unreachable, *(f"{n}-x" for n in range(KEPT_LOADS, 2 * KEPT_LOADS))]
    )
    assert f"{refused} are not removed: the file system refuses it" in caplog.text
    assert f"{unreachable} are not removed: the file system is gone" in caplog.text
