"""The disks of PostgreSQL and of the broker full, each on a small file system of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batchstream.errors import BatchstreamError
from batchstream.local.installation import Installation
from tests.conftest import HOUSING, copy_dataset, make_state
from tests.faults.test_producer import produce
from tests.support.pipeline import Pipeline
from tests.support.spark import SharedSpark

SIZES = {"postgres": "256m", "kafka": "48m"}


@pytest.fixture(scope="module")
def small() -> Iterator[Installation]:
    """An installation whose services have little room."""
    state = make_state()
    mounted: list[Path] = []
    found = Installation(state)
    try:
        for name, size in SIZES.items():
            folder = state / name
            folder.mkdir()
            options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
            if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
                pytest.skip("mounting a small file system needs root and a kernel that lets it")
            mounted.append(folder)
        found.up()
        yield found
    finally:
        found.down()
        for folder in mounted:
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(state, ignore_errors=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """No byte is free below `folder`."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 65536)
    except OSError:
        pass
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture
def cramped(small: Installation, spark: SharedSpark, tmp_path: Path) -> Pipeline:
    return Pipeline(small, spark, copy_dataset(HOUSING, tmp_path))


def test_postgresqls_disk_full_while_a_load_lands(cramped: Pipeline, small: Installation) -> None:
    cramped.reload()
    previous = cramped.checksum()
    cramped.change_source()
    load_id = cramped.produced()
    with full(small.postgres.folder), pytest.raises(BatchstreamError) as caught:
        cramped.consume(load_id)
    assert "PostgreSQL" in str(caught.value)
    small.postgres.start()
    assert cramped.checksum() == previous
    cramped.fail(load_id, str(caught.value))
    cramped.reload()
    assert cramped.shows_source()


@pytest.mark.nightly
def test_the_brokers_disk_full_while_a_load_is_produced(cramped: Pipeline, small: Installation) -> None:
    cramped.reload()
    previous = cramped.checksum()
    cramped.change_source()
    load_id = cramped.open()
    cramped.create_topic(load_id)
    with full(small.kafka.folder):
        status, output = produce(cramped, load_id)
        assert status == 1
        assert small.kafka.bootstrap_servers in output
    small.kafka.start()
    assert cramped.checksum() == previous
    cramped.fail(load_id, "the broker's disk is full")
    cramped.reload()
    assert cramped.shows_source()
