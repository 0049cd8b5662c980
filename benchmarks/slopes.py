"""``python -m benchmarks.slopes``: what a record more costs in a large load, with both sizes in the same rounds.

The published columns are measured one after the other, and a machine may be slower an hour later; here each participant runs
with both sizes in turn.
"""

import statistics
import sys
from collections import defaultdict

from benchmarks.measure import content_of_ours
from benchmarks.participants import PARTICIPANTS
from benchmarks.report import LIMIT
from benchmarks.stage import Stage
from tests.conftest import running_installation

SIZES = (1_000_000, 10_000_000)
ROUNDS = 3


def main() -> None:
    """Print microseconds a record, and the share of raw COPY, of the kind of data that is given."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "numeric"
    with running_installation() as installation:
        found = microseconds_a_record([Stage(installation, kind, records) for records in SIZES])
    for name, took in found.items():
        print(f"{kind} {name:<45} {took:6.3f} us, {found[LIMIT] / took:.2f} of {LIMIT}")


def microseconds_a_record(stages: list[Stage]) -> dict[str, float]:
    """The difference of the medians of two sizes, by participant."""
    small, big = stages
    for stage in stages:
        content_of_ours(stage)
    names = [
        name
        for name, participant in PARTICIPANTS.items()
        if (name == LIMIT or "batchstream" in name) and participant.takes(small.contract, small.records)
    ]
    runs: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name in names:
            for stage in stages:
                seconds, table = PARTICIPANTS[name].run(stage)
                stage.drop(table)
                runs[name, stage.records].append(seconds)
    return {
        name: (statistics.median(runs[name, big.records]) - statistics.median(runs[name, small.records]))
        / (big.records - small.records)
        * 1e6
        for name in names
    }


if __name__ == "__main__":
    main()
