"""The fixed day as an SVG document. Pure."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from bench.days import Day, Hour


def svg(day: Day, hours: Sequence[Hour]) -> str:
    """Two panels by the hour: the load with the LMS pods that bear it, and the nodes."""
    clock = [hour.hour for hour in hours]
    # Text stays text, and equal days give equal files.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "day"}):
        figure = Figure(figsize=(10, 4), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        above.bar(clock, [hour.lms_pods for hour in hours], color="tab:green", label="LMS pods")
        load = above.twinx()
        load.plot(clock, [hour.percent for hour in hours], color="black", drawstyle="steps-mid")
        load.set_ylim(0)
        load.set_ylabel("load, % of the peak")
        above.set_ylabel("LMS pods")
        below.bar(clock, [hour.nodes for hour in hours], color="tab:blue", label="nodes")
        below.axhline(day.peak_nodes, linestyle="--", color="grey")
        note = f"a fleet sized for the peak: {day.peak_nodes} nodes"
        below.annotate(note, (0, day.peak_nodes), va="bottom", fontsize="small")
        below.set_ylim(0, day.peak_nodes * 1.2)
        below.set_ylabel("nodes paid for")
        below.set_xlabel("hour")
        below.set_xticks(clock)
        for panel in (above, load, below):
            panel.spines["top"].set_visible(False)
        document = io.StringIO()
        figure.savefig(document, format="svg", metadata={"Date": None})
    return document.getvalue()
