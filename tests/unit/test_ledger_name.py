"""Airflows that share a ledger have names of their own in it."""

import socket
from pathlib import Path

import pytest

from batchstream.local.environment import ledger_name


def test_two_clones_and_two_machines_have_different_names(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {ledger_name(Path("/one/.batchstream")), ledger_name(Path("/two/.batchstream"))}
    monkeypatch.setattr(socket, "gethostname", lambda: "another machine")
    assert len(here | {ledger_name(Path("/one/.batchstream"))}) == 3
