"""What README says of the speed is what the published results say, and the page is made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from batchstream.paths import ROOT
from benchmarks import report

OURS = ("batchstream, published", "batchstream, reload of the same data", "batchstream, published by a swap")
WITH_A_JVM = ("plain chain", "Spark JDBC, default", "Spark JDBC, rewritten", "Kafka Connect, the same with unnest", "Flink SQL")
DOCUMENT: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))


def seconds(records: int, names: tuple[str, ...]) -> list[float]:
    """Medians of the participants that were measured at a size."""
    (result,) = (found for found in DOCUMENT["results"] if (found["kind"], found["records"]) == ("numeric", records))
    return [result["participants"][name]["median_seconds"] for name in names if name in result["participants"]]


def test_the_spark_step_of_the_506_records_takes_less_than_half_of_the_plain_chain() -> None:
    (ours,) = seconds(506, ("batchstream, landed",))
    plain, *others = seconds(506, ("plain chain", "Spark JDBC, default", "Spark JDBC, rewritten", "Flink SQL"))
    assert ours < plain / 2
    assert ours < min(others)


def test_a_million_records_are_published_before_any_other_way_with_a_jvm_has_landed_them() -> None:
    ours, others = seconds(1_000_000, OURS), seconds(1_000_000, WITH_A_JVM)
    assert (len(ours), len(others)) == (len(OURS), len(WITH_A_JVM))
    assert max(ours) < min(others)


def test_ten_million_records_are_published_before_spark_jdbc_and_flink_have_landed_them() -> None:
    ours, others = seconds(10_000_000, OURS), seconds(10_000_000, ("Spark JDBC, rewritten", "Flink SQL"))
    assert (len(ours), len(others)) == (len(OURS), 2)
    assert max(ours) < min(others)


def test_the_page_is_made_of_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(report, "PLOTS", tmp_path / "plots")
    report.write_report(DOCUMENT)
    assert (tmp_path / "page.md").read_text() == (ROOT / "docs" / "benchmarks.md").read_text()
