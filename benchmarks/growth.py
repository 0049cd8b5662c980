"""``python -m benchmarks.growth``: how fast the records of one large load land from its first million to its last."""

import os
import sys
import threading
import time
from itertools import pairwise

from benchmarks.participants import landed
from benchmarks.stage import Stage
from tests.conftest import running_installation

STEP = 1_000_000


class Progress(threading.Thread):
    """When how many records of a load had landed, by its inbox."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.seen: list[tuple[float, int]] = []
        self._stage = stage

    def run(self) -> None:
        query = "SELECT coalesce(sum(landed), 0)::bigint FROM batchstream.batches WHERE load_id = %s"
        with self._stage.admin() as connection:
            while not self.done.wait(0.1):
                row = connection.execute(query, [self._stage.load_id]).fetchone()
                self.seen.append((time.monotonic(), row[0] if row else 0))


def main() -> None:
    """Print the rate of each step of a load of numeric records, its first step left out: workers start in it."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with running_installation() as installation:
        stage = Stage(installation, "numeric", records)
        # What source and topic have left in memory would be written to disk while the last records land.
        os.sync()
        watch = Progress(stage)
        watch.start()
        landed(stage)
        watch.done.set()
        watch.join()
        for (begin, first), (end, last) in pairwise(steps(watch.seen, STEP)):
            print(f"{first:>10,} to {last:>10,}: {(last - first) / (end - begin):>9,.0f} records/s")


def steps(seen: list[tuple[float, int]], step: int) -> list[tuple[float, int]]:
    """Of what was seen, the first look at which each further step of records had landed."""
    found: list[tuple[float, int]] = []
    for moment, records in seen:
        if records >= (found[-1][1] // step + 1) * step if found else records >= step:
            found.append((moment, records))
    return found


if __name__ == "__main__":
    main()
