"""What README says of the speed is what the published results say, and the page is made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from batchstream.paths import ROOT
from benchmarks import report

LANDED, FIRST = "batchstream, landed", "batchstream, published"
RELOAD, SWAP = "batchstream, reload of the same data", "batchstream, published by a swap"
ONE_PROCESS, ONE_PROCESS_WITH_JSON = "one process, COPY", "one process, json and COPY"
WITH_A_JVM = (
    "plain chain",
    "Spark JDBC, default",
    "Spark JDBC, rewritten",
    "Kafka Connect, Debezium JDBC sink",
    "Kafka Connect, the same with unnest",
    "Flink SQL",
)
KINDS = ("numeric", "mixed")
DOCUMENT: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))


def slowest(records: int, *names: str, kind: str = "numeric") -> float:
    """Seconds of the slowest round of participants."""
    return max(_measured(kind, records, name)["max_seconds"] for name in names)


def fastest(records: int, *names: str, kind: str = "numeric") -> float:
    """Seconds of the fastest round of participants."""
    return min(_measured(kind, records, name)["min_seconds"] for name in names)


def _measured(kind: str, records: int, name: str) -> dict[str, float]:
    (result,) = (found for found in DOCUMENT["results"] if (found["kind"], found["records"]) == (kind, records))
    found: dict[str, float] = result["participants"][name]
    return found


def test_they_were_measured_on_one_machine() -> None:
    machines = [result["machine"] for result in DOCUMENT["results"]]
    assert {(machine["cores"], round(machine["memory_bytes"] / 2**30)) for machine in machines} == {(2, 24)}


@pytest.mark.parametrize("kind", KINDS)
def test_506_take_less_than_a_third_of_the_plain_chain_and_less_than_all_with_a_jvm(kind: str) -> None:
    assert slowest(506, LANDED, kind=kind) < fastest(506, "plain chain", kind=kind) / 3
    assert slowest(506, LANDED, kind=kind) < fastest(506, *WITH_A_JVM, kind=kind)


def test_what_starts_no_jvm_is_quicker_for_so_few() -> None:
    without_jvm = ("Quix Streams", "dlt", ONE_PROCESS)
    assert slowest(506, *without_jvm) < fastest(506, LANDED)
    assert slowest(506, ONE_PROCESS) < fastest(506, *without_jvm[:-1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_records_are_published_before_any_other_way_with_a_jvm_has_landed_them(kind: str) -> None:
    assert slowest(1_000_000, FIRST, RELOAD, SWAP, kind=kind) < fastest(1_000_000, *WITH_A_JVM, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_ten_million_are_published_before_any_other_way_with_a_jvm_and_dlt_have_landed_them(kind: str) -> None:
    assert slowest(10_000_000, FIRST, RELOAD, SWAP, kind=kind) < fastest(10_000_000, *WITH_A_JVM, "dlt", kind=kind)


def test_ten_million_numbers_are_published_before_quix_has_landed_them() -> None:
    assert slowest(10_000_000, FIRST, RELOAD, SWAP) < fastest(10_000_000, "Quix Streams")


@pytest.mark.parametrize("kind", KINDS)
def test_one_process_is_ahead_up_to_a_million_records_and_behind_the_verified_landing_of_ten_million(kind: str) -> None:
    assert slowest(1_000_000, ONE_PROCESS, kind=kind) < fastest(1_000_000, LANDED, kind=kind)
    assert slowest(10_000_000, LANDED, kind=kind) < fastest(10_000_000, ONE_PROCESS, kind=kind)


def test_one_process_without_this_projects_decoder_lands_ten_million_after_they_are_published() -> None:
    assert slowest(10_000_000, FIRST, RELOAD, SWAP) < fastest(10_000_000, ONE_PROCESS_WITH_JSON)


def test_a_record_more_lands_at_more_than_half_of_the_rate_of_raw_copy_and_a_mixed_one_at_half_of_it() -> None:
    def share_of_raw_copy(kind: str) -> float:
        return _seconds_more(kind, report.LIMIT) / _seconds_more(kind, LANDED)

    assert share_of_raw_copy("numeric") > 0.5
    assert share_of_raw_copy("mixed") == pytest.approx(0.5, abs=0.02)


def _seconds_more(kind: str, name: str) -> float:
    """What nine million records more take, from one million to ten."""
    small, big = (_measured(kind, records, name)["median_seconds"] for records in (1_000_000, 10_000_000))
    return big - small


def test_the_page_is_made_of_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(report, "PLOTS", tmp_path / "plots")
    report.write_report(DOCUMENT)
    assert (tmp_path / "page.md").read_text() == (ROOT / "docs" / "benchmarks.md").read_text()
    for published in (ROOT / "docs" / "benchmarks").iterdir():
        assert (tmp_path / "plots" / published.name).read_text() == published.read_text(), published
