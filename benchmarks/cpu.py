"""``python -m benchmarks.cpu``: how many seconds of CPU a load takes of each kind of process, and one process without Spark."""

import sys
import threading
from collections import Counter

import psutil

from benchmarks.participants import landed, single_process
from benchmarks.stage import Stage
from tests.conftest import running_installation

KINDS = {"kafka.Kafka": "Kafka", "java": "JVM", "batchstream.spark.daemon": "Python of the executors", "postgres": "PostgreSQL"}
"""By what stands in the command line, the first that fits; anything else is Python of the driver, or of the single process."""


class Cpu(threading.Thread):
    """CPU seconds of all processes below this one; those that end count up to their last tenth of a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self._seconds: dict[tuple[int, float], tuple[str, float]] = {}
        self._before = self._totals()

    def run(self) -> None:
        while not self.done.wait(0.1):
            self._totals()

    def used(self) -> Counter[str]:
        """Seconds of each kind of process since the beginning."""
        return self._totals() - self._before

    def _totals(self) -> Counter[str]:
        for process in psutil.Process().children(recursive=True):
            try:
                used = process.cpu_times()
                self._seconds[process.pid, process.create_time()] = (kind(process.cmdline()), used.user + used.system)
            except psutil.Error:
                continue
        totals: Counter[str] = Counter()
        for name, seconds in list(self._seconds.values()):
            totals[name] += seconds  # type: ignore[assignment]
        return totals


def kind(command: list[str]) -> str:
    """What a process belongs to."""
    line = " ".join(command)
    return next((name for part, name in KINDS.items() if part in line), "Python")


def main() -> None:
    """Print seconds of CPU and of time for loads of each size that is given; the difference of two sizes leaves the start out."""
    sizes = [int(size) for size in sys.argv[1:]] or [1_000_000, 3_000_000]
    with running_installation() as installation:
        for records in sizes:
            stage = Stage(installation, "numeric", records)
            for name, way in {"landed": landed, "one process": single_process}.items():
                watch = Cpu()
                watch.start()
                seconds, table = way(stage)
                watch.done.set()
                watch.join()
                shares = ", ".join(f"{part} {used:.1f}" for part, used in sorted(watch.used().items()))
                print(f"{records:>9} records, {name:<12} {seconds:6.1f} s; of CPU: {shares}", flush=True)
                stage.drop(table)


if __name__ == "__main__":
    main()
