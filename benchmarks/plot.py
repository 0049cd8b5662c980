"""Plots as SVG."""

import io

from matplotlib import rc_context
from matplotlib.figure import Figure


def line_chart(series: dict[str, list[tuple[float, float]]], x_label: str, y_label: str) -> str:
    """Lines with both axes logarithmic.

    Args:
        series: Points of each line, by its name.
        x_label: Unit of the first values.
        y_label: Unit of the second values.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, points in series.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    text = io.StringIO()
    # No date and no random names, so that the same results give the same file.
    with rc_context({"svg.hashsalt": "batchstream"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
