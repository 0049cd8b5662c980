"""The page compares only what compares: sizes that land in the same way, measured on one day."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report
from benchmarks.__main__ import _write
from tests.benchmarks.test_speed_claims import DOCUMENT

LARGE = [result for result in DOCUMENT["results"] if result["kind"] == "numeric" and result["records"] >= 1_000_000]


def page(folder: Path, monkeypatch: pytest.MonkeyPatch, results: list[dict[str, Any]]) -> str:
    monkeypatch.setattr(report, "PAGE", folder / "page.md")
    monkeypatch.setattr(report, "PLOTS", folder / "plots")
    report.write_report({"results": results})
    return report.PAGE.read_text(encoding="utf-8")


def measured(date: str, records: int) -> list[dict[str, Any]]:
    """Two sizes of one kind, the smaller one of another day or size."""
    small, big = copy.deepcopy(LARGE)
    small["machine"]["date"], small["records"] = date, records
    return [small, big]


def test_sizes_of_one_day_give_a_slope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = page(tmp_path, monkeypatch, measured(LARGE[1]["machine"]["date"], 1_000_000))
    assert "Between 1,000,000 and 10,000,000 records" in found
    assert "apart" not in found


def test_sizes_of_two_days_give_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = page(tmp_path, monkeypatch, measured("2026-01-01", 1_000_000))
    assert "| batchstream, landed |" in found
    assert "Between" not in found


def test_a_size_that_lands_on_the_driver_gives_none_with_one_that_lands_on_executors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    date = LARGE[1]["machine"]["date"]
    assert "Between" not in page(tmp_path, monkeypatch, measured(date, 100_000))
    assert "Between 100,100 and 10,000,000" in page(tmp_path, monkeypatch, measured(date, 100_100))


def test_what_is_measured_apart_is_marked_and_gives_no_slope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.json"
    for result in copy.deepcopy(LARGE):
        _write(file, result=result)
    found = {"median_seconds": 50.5, "min_seconds": 50.0, "max_seconds": 51.0, "peak_bytes": 2**20, "runs": 4}
    machine = {**LARGE[1]["machine"], "commit": "1a2b3c4"}
    _write(file, result={**LARGE[1], "machine": machine, "participants": {"Flink SQL": found}}, apart=True)
    results = json.loads(file.read_text())["results"]
    assert [result["machine"] for result in results] == [result["machine"] for result in LARGE]
    assert results[1]["participants"] == {**LARGE[1]["participants"], "Flink SQL": {**found, "apart": "1a2b3c4"}}
    written = page(tmp_path, monkeypatch, results)
    assert "| 50.50 [50.00 to 51.00] (1a2b3c4) |" in written
    assert "With a commit: measured apart" in written
    slopes = written.partition("Between")[2].partition("Peak memory")[0]
    assert "| dlt |" in slopes
    assert "| Flink SQL |" not in slopes


def test_formats_are_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.json"
    found = {"median_seconds": 2.0, "min_seconds": 1.0, "max_seconds": 3.0, "peak_bytes": 2**26, "source_bytes": 2**21}
    about = {"records": 20_000, "rounds": 2, "load_average": 1.5, "machine": LARGE[1]["machine"]}
    _write(file, result=LARGE[1])
    _write(file, formats={**about, "formats": {"CSV": found, "xlsx": {**found, "median_seconds": 20.0}}})
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(report, "PLOTS", tmp_path / "plots")
    report.write_report(json.loads(file.read_text()))
    written = report.PAGE.read_text(encoding="utf-8")
    assert "| CSV | 10,000 | 2.00 [1.00 to 3.00] | 2.0 | 64 |\n| xlsx | 1,000 | 20.00 [1.00 to 3.00] | 2.0 | 64 |" in written
