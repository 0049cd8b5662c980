"""``python -m benchmarks.running_spark``: how much of a load is Spark's start, and what is left of it with a Spark that stays."""

import statistics
import sys
import time
from collections.abc import Callable

from benchmarks.participants import landed, single_process
from benchmarks.stage import Stage
from tests.conftest import running_installation

ROUNDS = 4
"""The first one is dropped."""


def main() -> None:
    """Print medians of interleaved rounds, in seconds from the topic to the verified landing, of each size that is given."""
    sizes = [int(size) for size in sys.argv[1:]] or [506, 1_000_000]
    with running_installation() as installation:
        for records in sizes:
            stage = Stage(installation, "numeric", records)
            try:
                for name, seconds in compare(stage).items():
                    print(f"{records:>9} records, {name:<24} {seconds:6.2f} s")
            finally:
                stage.pipeline.spark.stop()


def compare(stage: Stage) -> dict[str, float]:
    """Median seconds of one size, by how Spark starts, and of one process without it."""
    ways: dict[str, Callable[[], float]] = {
        "Spark started for it": lambda: landed(stage)[0],
        "Spark runs already": lambda: landed_by_running_spark(stage),
        "one process, COPY": lambda: single_process(stage)[0],
    }
    rounds = [{name: way() for name, way in ways.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(one[name] for one in rounds[1:]) for name in ways}


def landed_by_running_spark(stage: Stage) -> float:
    """Seconds of a load in a session that was there before, after the first time."""
    stage.reset_load()
    begun = time.monotonic()
    stage.pipeline.consume(stage.load_id)
    passed, message = stage.pipeline.verify(stage.load_id)
    if not passed:
        raise RuntimeError(message)
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
