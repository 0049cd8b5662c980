"""Guards the speed by ratios in one run, with generous bounds: no absolute time, which would say more about the machine."""

import time
from pathlib import Path

import pytest

from batchstream.local.installation import Installation
from benchmarks import report
from benchmarks.measure import measure
from benchmarks.participants import landed, plain_chain, raw_copy
from benchmarks.report import write_report
from benchmarks.stage import Stage
from tests.support.spark import SharedSpark

RECORDS = 200_000
LEAST_SHARE_OF_RAW_COPY = 0.04


@pytest.fixture(scope="module")
def stage(installation: Installation) -> Stage:
    return Stage(installation, "numeric", RECORDS)


@pytest.mark.nightly
def test_the_spark_step_is_ahead_of_the_plain_chain_with_all_guarantees(stage: Stage) -> None:
    ours, plain = (min(participant(stage)[0] for _ in range(2)) for participant in (landed, plain_chain))
    assert ours < plain


@pytest.mark.nightly
def test_participants_end_with_the_same_rows(stage: Stage) -> None:
    tables = [participant(stage)[1] for participant in (landed, plain_chain)]
    ours, plain = (stage.fingerprint(table, with_record_id=False) for table in tables)
    assert ours == plain
    assert ours[0] == RECORDS


@pytest.mark.nightly
def test_a_warm_landing_is_within_a_bound_of_raw_copy(stage: Stage, spark: SharedSpark) -> None:
    stage.pipeline.spark = spark
    seconds = []
    for _ in range(3):
        stage.reset_load()
        begun = time.monotonic()
        assert stage.pipeline.consume(stage.load_id).landed == RECORDS
        seconds.append(time.monotonic() - begun)
    limit = min(raw_copy(stage)[0] for _ in range(3))
    assert min(seconds) < limit / LEAST_SHARE_OF_RAW_COPY


@pytest.mark.parametrize(("most_seconds", "runs"), [(0.0, 1), (60.0, 2)])
def test_what_takes_long_runs_once(most_seconds: float, runs: int, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.measure.LONG_RUN_SECONDS", most_seconds)
    found = measure(stage, 3, ["raw COPY"])["raw COPY"]
    assert found["runs"] == runs
    assert ("one run" in report._cell(found)) == (runs == 1)


def test_the_page_is_written_from_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.report.PAGE", tmp_path / "page.md")
    monkeypatch.setattr("benchmarks.report.PLOTS", tmp_path / "plots")
    found = {"median_seconds": 2.0, "min_seconds": 1.0, "max_seconds": 3.0, "peak_bytes": 2**20}
    machine = {
        "date": "2026-01-01",
        "commit": "1a2b3c4",
        "cores": 2,
        "memory_bytes": 2**33,
        "system": "x",
        "python": "3",
        "java": "17",
        "packages": {"psycopg": "3"},
    }
    results = [
        {
            "kind": "numeric",
            "records": size,
            "load_average": 0.1,
            "rounds": 4,
            "source_bytes": size * 80,
            "producer": found,
            "machine": machine,
            "participants": {"raw COPY": {**found, "median_seconds": seconds}},
        }
        for size, seconds in ((200_000, 1.0), (300_000, 2.0))
    ]
    write_report({"results": results})
    page = (tmp_path / "page.md").read_text()
    assert "| raw COPY | 1.00 [1.00 to 3.00] | 2.00 [1.00 to 3.00] |" in page
    assert "| raw COPY | 100,000 | 8 | 1.00 |" in page
    assert (tmp_path / "plots" / "numeric-seconds.svg").read_text().startswith("<?xml")
