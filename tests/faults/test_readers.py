"""Readers poll while loads are published: every answer is one verified load, whole, and nobody waits."""

import threading
import time
from decimal import Decimal

import pytest

from batchstream.postgres import names
from tests.support.pipeline import Pipeline

READERS = 4
RELOADS = 20


class Reader(threading.Thread):
    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._connection = pipeline.connect(names.READER)
        self._connection.autocommit = True
        self._query = f"SELECT count(*), sum(medv)::numeric(12, 2) FROM {pipeline.name}"
        self.answers: list[tuple[int, Decimal]] = []
        self.slowest_seconds = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            begun = time.monotonic()
            row = self._connection.execute(self._query).fetchone()
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begun)
            assert row is not None
            if not self.answers or self.answers[-1] != row:
                self.answers.append((row[0], row[1]))
        self._connection.close()


def total(pipeline: Pipeline) -> tuple[int, Decimal]:
    lines = pipeline.contract.source.path.read_text().splitlines()[1:]
    return len(lines), sum((Decimal(line.split()[-1]) for line in lines), Decimal(0)).quantize(Decimal("0.01"))


@pytest.mark.parametrize("publish", ["merge", pytest.param("swap", marks=pytest.mark.nightly)])
def test_twenty_reloads_under_four_readers(pipeline: Pipeline, publish: str) -> None:
    pipeline.expect_any_source()
    if publish == "swap":
        pipeline.publish_by_swap()
    pipeline.reload()
    loads = [total(pipeline)]
    readers = [Reader(pipeline) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for number in range(RELOADS):
            pipeline.change_source(seed=number, records=100, column=-1)
            loads.append(total(pipeline))
            assert (pipeline.reload().updated_rows > 0) == (publish == "merge")
        time.sleep(0.2)
    finally:
        for reader in readers:
            reader.done.set()
            reader.join()
    assert len(set(loads)) == RELOADS + 1
    for reader in readers:
        # In the order of the loads, each seen; never a mixture, never less than all of it.
        assert reader.answers == loads
        assert reader.slowest_seconds < 1
    assert pipeline.shows_source()
