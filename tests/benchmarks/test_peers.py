"""What can be told of the peers without installing them: every run of the benchmark verifies the rows that they land."""

import re
from pathlib import Path

import pytest

from batchstream.local.jars import SERVICES, locked_jars
from benchmarks.peers.common import FOLDER

REQUIREMENTS = sorted(FOLDER.glob("*.txt"))


def test_the_peers_jars_are_locked_and_none_is_part_of_the_set_up() -> None:
    kinds = {jar.kind for jar in locked_jars()}
    assert {"connect", "connect-sink", "flink"} <= kinds
    assert not {"connect", "connect-sink", "flink"} & set(SERVICES)


@pytest.mark.parametrize("path", REQUIREMENTS, ids=[path.stem for path in REQUIREMENTS])
def test_every_package_of_a_peer_is_pinned_with_a_hash(path: Path) -> None:
    wanted = [line for line in path.with_suffix(".in").read_text().split() if line]
    locked = path.read_text()
    assert all(pin.partition("[")[0].partition("==")[0] in locked and "==" in pin for pin in wanted)
    packages = re.split(r"\n(?=\S)", locked)
    assert all("--hash=sha256:" in package for package in packages if "==" in package.splitlines()[0])
