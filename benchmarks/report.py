"""Writes docs/benchmarks.md out of the results: tables, ratios and plots."""

from itertools import pairwise
from typing import Any

from batchstream.paths import ROOT
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.spark.micro_batches import DRIVER_MESSAGES
from benchmarks.measure import LONG_RUN_SECONDS
from benchmarks.participants import PARTICIPANTS
from benchmarks.plot import line_chart

PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"
LIMIT = "raw COPY"
OURS = "batchstream, landed"
MOST_RECORDS_ON_THE_DRIVER = DRIVER_MESSAGES * MAX_RECORDS_PER_BATCH
"""Larger loads land from executors; between the two the difference would be that of their starts, and no slope."""

NOT_MEASURED = "-: not measured at this size."
APART = (
    " With a commit: measured apart from the others of its column, by the code of that commit, in an hour in which all may have "
    "been quicker or slower."
)

Results = list[dict[str, Any]]


def write_report(document: dict[str, Any]) -> None:
    """The page, and plots for each kind of data with more than one size."""
    PLOTS.mkdir(exist_ok=True)
    newest = max((result["machine"] for result in document["results"]), key=lambda machine: machine["date"])
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` (or `make bench-full`; of one column `python -m benchmarks --kind KIND --records N`) out of "
        "[the results](../benchmarks/results.json); don't edit it.",
        "",
        f"{newest['cores']} cores, {newest['memory_bytes'] / 2**30:.0f} GiB, {newest['system']}, Python {newest['python']}, "
        + ", ".join(f"{name} {version}" for name, version in newest["packages"].items())
        + ". Median of the interleaved rounds after one that is dropped, and [min to max]; what takes more than "
        f"{LONG_RUN_SECONDS} seconds runs once. The same broker, PostgreSQL and topic "
        "for all; the rows of each run were compared by count and checksum before it counted. Seconds are those of the "
        "participant's whole process, start of the JVM included. What each participant is, how it is set and what it is known to "
        "lose stands in `benchmarks/participants.py` and `benchmarks/peers/`. Machines are quicker on some days: seconds of "
        "columns that were measured on two days don't compare, ratios to raw COPY in one column do.",
        "",
    ]
    if "dag" in document:
        lines += _dag(document["dag"])
    for kind in dict.fromkeys(result["kind"] for result in document["results"]):
        lines += _kind(kind, [result for result in document["results"] if result["kind"] == kind])
    lines += _kinds_compared(document["results"])
    if "formats" in document:
        lines += _formats(document["formats"])
    PAGE.write_text("\n".join(lines) + "\n")


def _kind(kind: str, results: Results) -> list[str]:
    sizes = [f"{result['records']:,}" for result in results]
    lines = [f"## {kind} records", "", f"| seconds | {' | '.join(sizes)} | guarantee |", "|---" * (len(sizes) + 2) + "|"]
    faults = []
    for name, participant in PARTICIPANTS.items():
        found = [result["participants"].get(name) for result in results]
        if any(found):
            lines.append(f"| {name} | {' | '.join(map(_cell, found))} | {participant.guarantee} |")
        faults += [f"- {name}, {size}: {one['fault']}" for size, one in zip(sizes, found, strict=True) if one and "fault" in one]
    apart = any("apart" in found for result in results for found in result["participants"].values())
    lines += ["", NOT_MEASURED + APART * apart, *(["", "Failed:", "", *faults] if faults else []), ""]
    lines += [f"| | {' | '.join(sizes)} |", "|---" * (len(sizes) + 1) + "|"]
    lines += [_row("rounds that count", results, lambda result: str(result["rounds"]))]
    lines += [_row("measured on", results, lambda result: result["machine"]["date"])]
    lines += [_row("code of", results, lambda result: result["machine"]["commit"])]
    lines += [_row("Java of Spark and Kafka", results, lambda result: result["machine"]["java"])]
    lines += [_row("load average before", results, lambda result: f"{result['load_average']:.1f}")]
    lines += [_row("producer, records/s", results, lambda r: f"{r['records'] / r['producer']['median_seconds']:,.0f}")]
    lines += [_row("producer, peak MiB", results, lambda result: _mebibytes(result["producer"])), ""]
    lines += [*_slopes(results), *_memory(results)]
    return lines + (_plots(kind, results) if len(results) > 1 else [])


def _cell(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    if "fault" in found:
        return "failed"
    mark = f" ({found['apart']})" if "apart" in found else ""
    if found.get("runs") == 1:
        return f"{found['median_seconds']:.2f} (one run){mark}"
    return f"{found['median_seconds']:.2f} [{found['min_seconds']:.2f} to {found['max_seconds']:.2f}]{mark}"


def _row(name: str, results: Results, value: Any) -> str:
    return f"| {name} | {' | '.join(value(result) for result in results)} |"


def _mebibytes(found: dict[str, Any] | None) -> str:
    return f"{found['peak_bytes'] / 2**20:.0f}" if found and "peak_bytes" in found else "-"


def _dag(found: dict[str, Any]) -> list[str]:
    """What a user waits for."""
    rows = {"the whole command": found["command"], "the DAG run, all tasks": found["run"], **found["tasks"]}
    return [
        "## The whole reload of the 506 records",
        "",
        f"`airflow dags test housing_pipeline`, {found['rounds']} rounds that count, {found['machine']['date']}:",
        "",
        "| | seconds |",
        "|---|---|",
        *(f"| {name} | {_cell(one)} |" for name, one in rows.items()),
        "",
    ]


def _slopes(results: Results) -> list[str]:
    """Records a second between two sizes, which leaves the start of the processes out."""
    lines = []
    for small, big in _pairs(results):
        slopes = {name: slope for name in PARTICIPANTS if (slope := _slope(name, small, big))}
        limit = slopes.get(LIMIT)
        if limit is None:
            continue
        bytes_each = _bytes_each(small, big)
        lines += [
            f"Between {small['records']:,} and {big['records']:,} records, each {bytes_each:.0f} bytes of the source, start of "
            "the processes left out:",
            "",
            "| participant | records/s | MB/s of the source | of raw COPY |",
            "|---|---|---|---|",
            *(
                f"| {name} | {slope:,.0f} | {slope * bytes_each / 1e6:.0f} | {slope / limit:.2f} |"
                for name, slope in slopes.items()
            ),
            "",
        ]
    return lines


def _pairs(results: Results) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Neighbouring sizes that land in the same way and were measured on one day, as a machine is quicker on some days."""
    large = pairwise(result for result in results if result["records"] > MOST_RECORDS_ON_THE_DRIVER)
    return [(small, big) for small, big in large if small["machine"]["date"] == big["machine"]["date"]]


def _slope(name: str, small: dict[str, Any], big: dict[str, Any]) -> float | None:
    measured = [result["participants"].get(name, {}) for result in (small, big)]
    found = [one.get("median_seconds") for one in measured]
    # A slope between two hours would be one of the machine.
    if None in found or found[1] <= found[0] or any("apart" in one for one in measured):
        return None
    return float((big["records"] - small["records"]) / (found[1] - found[0]))


def _bytes_each(small: dict[str, Any], big: dict[str, Any]) -> float:
    return float((big["source_bytes"] - small["source_bytes"]) / (big["records"] - small["records"]))


def _kinds_compared(results: Results) -> list[str]:
    """What a byte of each kind of data costs ours, between the two smallest sizes that give a slope."""
    rows, numeric = [], None
    for kind in dict.fromkeys(result["kind"] for result in results):
        for small, big in _pairs([result for result in results if result["kind"] == kind])[:1]:
            slope = _slope(OURS, small, big)
            if slope is None:
                continue
            bytes_each = _bytes_each(small, big)
            seconds = 1e9 / slope / bytes_each
            numeric = numeric or seconds
            sizes = f"{small['records']:,} to {big['records']:,}"
            day = big["machine"]["date"]
            cells = (kind, sizes, f"{bytes_each:.0f}", f"{slope:,.0f}", f"{seconds:.1f}", f"{seconds / numeric:.2f}", day)
            rows.append(f"| {' | '.join(cells)} |")
    if len(rows) < 2:
        return []
    return [
        "## The kinds of data compared",
        "",
        f"{OURS}, start of the processes left out; only what was measured on one day compares well:",
        "",
        "| kind | between sizes | bytes a record | records/s | seconds a GB of the source | against the first | measured on |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _formats(found: dict[str, Any]) -> list[str]:
    """How fast sources of each format are read."""
    records, machine = found["records"], found["machine"]
    rows = []
    for name, one in found["formats"].items():
        speed, size = f"{records / one['median_seconds']:,.0f}", f"{one['source_bytes'] / 2**20:.1f}"
        rows.append(f"| {name} | {speed} | {_cell(one)} | {size} | {_mebibytes(one)} |")
    return [
        "## The formats of a source",
        "",
        f"From the file to signed messages, without Kafka: {records:,} records of the same eight columns; the first line is "
        f"housing's columns. {found['rounds']} interleaved rounds that count, {machine['date']}, code of {machine['commit']}, "
        f"load average {found['load_average']:.1f}: compare the lines with each other, not with other tables.",
        "",
        "| format | records/s | seconds | MiB of the file | peak MiB |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


def _memory(results: Results) -> list[str]:
    lines = ["Peak memory of the participant's processes, MiB (pages that they share counted for each):", ""]
    lines += [f"| participant | {' | '.join(format(r['records'], ',') for r in results)} |", "|---" * (len(results) + 1) + "|"]
    for name in PARTICIPANTS:
        if any("peak_bytes" in result["participants"].get(name, {}) for result in results):
            lines.append(_row(name, results, lambda result, name=name: _mebibytes(result["participants"].get(name))))
    return [*lines, ""]


def _plots(kind: str, results: Results) -> list[str]:
    series: dict[str, dict[str, list[tuple[float, float]]]] = {"seconds": {}, "records-a-second": {}, "MiB": {}}
    for name in PARTICIPANTS:
        for result in results:
            found = result["participants"].get(name, {})
            if "median_seconds" not in found:
                continue
            records, seconds = result["records"], found["median_seconds"]
            series["seconds"].setdefault(name, []).append((records, seconds))
            series["records-a-second"].setdefault(name, []).append((records, records / seconds))
            if name != LIMIT:
                series["MiB"].setdefault(name, []).append((records, found["peak_bytes"] / 2**20))
    lines = []
    for unit, lines_of in series.items():
        if not lines_of:
            continue
        (PLOTS / f"{kind}-{unit}.svg").write_text(line_chart(lines_of, "records", unit.replace("-", " ")))
        lines += [f"![{unit.replace('-', ' ')} against records](benchmarks/{kind}-{unit}.svg)", ""]
    return lines
