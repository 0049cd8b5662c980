"""Writes docs/benchmarks.md out of the results: tables, ratios and plots."""

from typing import Any

from batchstream.paths import ROOT
from benchmarks.participants import PARTICIPANTS
from benchmarks.plot import line_chart

PAGE = ROOT / "docs" / "benchmarks.md"
LEAST_RECORDS_FOR_A_SLOPE = 100_000
PLOTS = ROOT / "docs" / "benchmarks"


def write_report(document: dict[str, Any]) -> None:
    """The page, and an SVG a kind of data."""
    PLOTS.mkdir(exist_ok=True)
    machine = document["machine"]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` (or `make bench-full`) out of [the results](../benchmarks/results.json); don't edit it.",
        "",
        f"{machine['date']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB, {machine['system']}, Python "
        f"{machine['python']}, " + ", ".join(f"{name} {version}" for name, version in machine["packages"].items()) + ". "
        f"Median of {document['rounds']} interleaved rounds after one that is dropped, and [min to max]. The same broker, "
        "PostgreSQL and topic for all; the rows of each run were compared by count and checksum before it counted. "
        "Seconds are those of the participant's whole process, start of the JVM included.",
        "",
    ]
    for kind in dict.fromkeys(result["kind"] for result in document["results"]):
        results = [result for result in document["results"] if result["kind"] == kind]
        lines += _kind(kind, results)
    PAGE.write_text("\n".join(lines) + "\n")


def _kind(kind: str, results: list[dict[str, Any]]) -> list[str]:
    sizes = [result["records"] for result in results]
    lines = [f"## {kind} records", "", f"| seconds | {' | '.join(f'{size:,}' for size in sizes)} | guarantee |"]
    lines.append("|---" * (len(sizes) + 2) + "|")
    series: dict[str, list[tuple[float, float]]] = {}
    for name, participant in PARTICIPANTS.items():
        cells = []
        for result in results:
            found = result["participants"].get(name)
            if found is None:
                cells.append("-")
            elif "fault" in found:
                cells.append("failed")
            else:
                cells.append(f"{found['median_seconds']:.2f} [{found['min_seconds']:.2f} to {found['max_seconds']:.2f}]")
                series.setdefault(name, []).append((result["records"], found["median_seconds"]))
        lines.append(f"| {name} | {' | '.join(cells)} | {participant.guarantee} |")
    lines += ["", f"Load average before: {_joined(results, 'load_average', '.1f', ', ')}.", ""]
    (PLOTS / f"{kind}-seconds.svg").write_text(line_chart(series, "records", "seconds"))
    lines += [f"![seconds against records](benchmarks/{kind}-seconds.svg)", ""]
    lines += _slopes(results) + _memory(results)
    return lines


def _slopes(results: list[dict[str, Any]]) -> list[str]:
    """Records a second between the two largest sizes, which leaves the start of the processes out."""
    if len(results) < 2 or results[-2]["records"] < LEAST_RECORDS_FOR_A_SLOPE:
        # Small loads land from the driver and large ones from executors; the difference would be that of their starts.
        return ["Records a second, start of the processes left out: see the larger sizes of `make bench-full`.", ""]
    small, large = results[-2:]
    slopes = {}
    for name in PARTICIPANTS:
        found = [result["participants"].get(name, {}).get("median_seconds") for result in (small, large)]
        if None not in found and found[1] > found[0]:
            slopes[name] = (large["records"] - small["records"]) / (found[1] - found[0])
    limit = slopes.get("raw COPY")
    lines = [f"Records a second between {small['records']:,} and {large['records']:,} records, and the share of raw COPY's:", ""]
    lines += ["| participant | records/s | of raw COPY |", "|---|---|---|"]
    lines += [f"| {name} | {slope:,.0f} | {slope / limit:.2f} |" for name, slope in slopes.items() if limit]
    return [*lines, ""]


def _memory(results: list[dict[str, Any]]) -> list[str]:
    lines = ["Peak memory of the participant's processes, MiB:", ""]
    lines += [
        f"| participant | {_joined(results, 'records', ',', ' | ')} |",
        "|---" * (len(results) + 1) + "|",
    ]
    for name in PARTICIPANTS:
        peaks = [result["participants"].get(name, {}).get("peak_bytes") for result in results]
        if any(peaks):
            lines.append(f"| {name} | {' | '.join('-' if peak is None else f'{peak / 2**20:.0f}' for peak in peaks)} |")
    return [*lines, ""]


def _joined(results: list[dict[str, Any]], name: str, spec: str, separator: str) -> str:
    return separator.join(format(result[name], spec) for result in results)
