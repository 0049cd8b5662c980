"""A mistake in a contract: made by an edit of a good one, and told with its field, what is there and what to write."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.building import edited, mistake_of


class Mistake(NamedTuple):
    old: str
    new: str
    field: str
    got: str
    write: str

    def is_told(self, contract: Path, folder: Path) -> None:
        """Make it in a copy of a contract, and see what is said of it."""
        said = mistake_of(edited(folder, contract, (self.old, self.new)))
        assert said.startswith(f"{self.field}: ")
        assert self.got in said
        assert self.write in said


def case(name: str, *mistake: str) -> object:
    return pytest.param(Mistake(*mistake), id=name)
