"""Interleaved rounds of the participants over one dataset; each run's rows are verified before it counts."""

import statistics
import threading
from typing import Any

import psutil

from benchmarks.participants import PARTICIPANTS, landed
from benchmarks.stage import Stage

LONG_RUN_SECONDS = 120
"""What takes longer than this runs once, and that counts: to warm up is nothing beside it."""


class Memory(threading.Thread):
    """Peak of the memory of all processes below this one but the services.

    A process counts from the second time that it is seen: one that Java has forked to start a program is, for a moment, all
    of Java once more.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.done = threading.Event()
        self._seen: set[psutil.Process] = set()

    def run(self) -> None:
        while not self.done.wait(0.2):
            self.peak_bytes = max(self.peak_bytes, self.now_bytes())

    def now_bytes(self) -> int:
        """The memory of the processes that were there at the last look already."""
        found = set(psutil.Process().children(recursive=True))
        total = 0
        for process in found & self._seen:
            try:
                if process.name() != "postgres" and "kafka.Kafka" not in process.cmdline():
                    total += process.memory_info().rss
            except psutil.Error:
                continue
        self._seen = found
        return total


def measure(stage: Stage, rounds: int, names: list[str]) -> dict[str, dict[str, Any]]:
    """Rounds over all participants; the first one warms files and caches, and is dropped, but of those that take minutes."""
    runs: dict[str, list[tuple[float, int]]] = {}
    faults: dict[str, str] = {}
    once: set[str] = set()
    expected = content_of_ours(stage)
    for number in range(rounds):
        for name in names:
            participant = PARTICIPANTS[name]
            if name in faults or name in once or not participant.takes(stage.contract, stage.records):
                continue
            watch = Memory()
            watch.start()
            try:
                seconds, table = participant.run(stage)
            except RuntimeError as error:
                faults[name] = str(error)[-500:]
                continue
            finally:
                watch.done.set()
                watch.join()
            found = stage.fingerprint(table, with_record_id=participant.has_record_id)
            stage.drop(table)
            if found != expected[participant.has_record_id]:
                faults[name] = f"{found[0]} rows with other content than the {stage.records} that were sent"
                continue
            if not number and seconds > LONG_RUN_SECONDS:
                once.add(name)
            if number or name in once:
                runs.setdefault(name, []).append((seconds, watch.peak_bytes))
            print(f"{stage.kind} {stage.records:>9} round {number} {name:<40} {seconds:8.2f} s", flush=True)
    measured = {name: {"fault": faults[name]} if name in faults else _summary(runs.get(name, [])) for name in names}
    return {name: found for name, found in measured.items() if found}


def content_of_ours(stage: Stage) -> dict[bool, tuple[int, int]]:
    """What everybody has to land, with and without record ids: what ours lands and has verified; kept for raw COPY, too."""
    _, table = landed(stage)
    content = {with_record_id: stage.fingerprint(table, with_record_id=with_record_id) for with_record_id in (True, False)}
    if content[True][0] != stage.records:
        raise RuntimeError(f"{content[True][0]} rows have landed of the {stage.records} that were sent")
    stage.encoded_rows()
    return content


def measure_producer(stage: Stage, rounds: int) -> dict[str, Any]:
    """The same of the producer alone."""
    runs = [stage.measure_producer() for _ in range(rounds)]
    return _summary(runs[1:])


def _summary(runs: list[tuple[float, int]]) -> dict[str, Any]:
    if not runs:
        return {}
    return {**of_rounds([took for took, _ in runs]), "peak_bytes": max(peak for _, peak in runs), "runs": len(runs)}


def of_rounds(seconds: list[float]) -> dict[str, float]:
    """What is published of a time that was measured in several rounds."""
    return {"median_seconds": statistics.median(seconds), "min_seconds": min(seconds), "max_seconds": max(seconds)}
