"""What takes long says so, also where nobody can see a bar move."""

import re
from pathlib import Path

import pytest

from batchstream.local import progress
from batchstream.local.locks import only_one
from tests.support.background import Background
from tests.support.waiting import wait_for


class Said:
    """What was printed so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capsys.readouterr().out
        return self._text


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    monkeypatch.setattr(progress, "SAID_AFTER_SECONDS", 0.05)
    return Said(capsys)


@pytest.mark.parametrize("quick", [False, True])
def test_a_step_that_takes_long_says_that_it_has_begun(said: Said, quick: bool) -> None:
    with progress.progress("starting it", quick=quick):
        wait_for(lambda: said.text == "starting it …\n", 10, "the step says that it has begun", every_seconds=0.01)
    assert re.fullmatch(r"starting it …\nstarting it: \d+\.\d s\n", said.text)


def test_one_that_takes_no_time_says_nothing(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SAID_AFTER_SECONDS", 60)
    with progress.progress("starting it", quick=True):
        pass
    assert said.text == ""


def test_a_command_that_waits_for_another_says_so(said: Said, tmp_path: Path) -> None:
    def second() -> None:
        with only_one(tmp_path / "lock", "the other one"):
            pass

    with only_one(tmp_path / "lock"):
        waiting = Background(second)
        wait_for(lambda: said.text == "waiting for the other one …\n", 10, "the second says that it waits", every_seconds=0.01)
    waiting.wait()
    assert waiting.error is None
