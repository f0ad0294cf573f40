"""The comparison as an SVG document. Pure."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.outcomes import Outcome
from bench.variants import Variant

COLOURS = ("tab:gray", "tab:orange", "tab:red", "tab:purple", "tab:green")
ROOM = 0.8


def svg(outcomes: Sequence[Outcome], variants: Sequence[Variant]) -> str:
    """Two panels: seconds without an LMS pod, and seconds until full strength, by fault."""
    faults = list(dict.fromkeys(each.fault for each in outcomes))
    found = {(each.fault, each.variant): each for each in outcomes}
    # Text stays text, and equal outcomes give equal files.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "resilience"}):
        figure = Figure(figsize=(10, 0.75 * len(faults) + 1.2), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for number, variant in enumerate(variants):
            for panel, bar in ((left, _zero), (right, _full)):
                bars = [bar(found.get((fault, variant.name))) for fault in faults]
                _draw(panel, bars, variant.title, number, len(variants))
        left.set_title("seconds without a ready LMS pod", fontsize="medium", loc="left")
        right.set_title("seconds until all its LMS pods are ready", fontsize="medium", loc="left")
        left.set_yticks(range(len(faults)), faults)
        left.set_ylim(len(faults) - 0.5, -0.5)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        document = io.StringIO()
        figure.savefig(document, format="svg", metadata={"Date": None})
    return document.getvalue()


# How long a bar is, and what stands beside it.
Bar = tuple[int, str]


def _zero(each: Outcome | None) -> Bar:
    if each is None:
        return 0, "not hit"
    return each.zero_s, f"{each.zero_s}{f', {each.refused} drains refused' * bool(each.refused)}"


def _full(each: Outcome | None) -> Bar:
    # How long a drain takes is not the variant's doing: all nodes are drained together.
    if each is None or each.refused is not None:
        return 0, ""
    if each.full_after_s is None:
        return 0, "not reached"
    return each.full_after_s, str(each.full_after_s)


def _draw(panel: Axes, bars: Sequence[Bar], title: str, number: int, of: int) -> None:
    height = ROOM / of
    places = [row + (number + 0.5) * height - ROOM / 2 for row in range(len(bars))]
    drawn = panel.barh(places, [b[0] for b in bars], height, color=COLOURS[number], label=title)
    panel.bar_label(drawn, [label for _, label in bars], fontsize="x-small", padding=2)
    panel.spines[["top", "right"]].set_visible(False)
    panel.margins(x=0.1)
