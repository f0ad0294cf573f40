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
    # Text stays text, and equal outcomes give equal files.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "resilience"}):
        figure = Figure(figsize=(10, 0.85 * len(faults) + 1.4), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        zero = {(each.fault, each.variant): each.zero_s for each in outcomes}
        full = {(each.fault, each.variant): each.full_after_s for each in outcomes}
        _panel(left, "seconds without a ready LMS pod", zero, faults, variants)
        # How long a drain takes is not the variant's doing alone: all nodes are drained together.
        kept = {key: value for key, value in full.items() if key[0] != "drain"}
        _panel(right, "seconds until all its LMS pods are ready", kept, faults, variants)
        left.set_yticks(range(len(faults)), faults)
        left.invert_yaxis()
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        document = io.StringIO()
        figure.savefig(document, format="svg", metadata={"Date": None})
    return document.getvalue()


def _panel(
    panel: Axes,
    title: str,
    seconds: dict[tuple[str, str], int] | dict[tuple[str, str], int | None],
    faults: Sequence[str],
    variants: Sequence[Variant],
) -> None:
    height = ROOM / len(variants)
    for number, (variant, colour) in enumerate(zip(variants, COLOURS, strict=False)):
        shift = (number + 0.5) * height - ROOM / 2
        known = [
            (row + shift, value)
            for row, fault in enumerate(faults)
            if (value := seconds.get((fault, variant.name))) is not None
        ]
        places, values = [place for place, _ in known], [value for _, value in known]
        bars = panel.barh(places, values, height, color=colour, label=variant.title)
        panel.bar_label(bars, fontsize="x-small", padding=2)
    panel.set_title(title, fontsize="medium", loc="left")
    panel.spines[["top", "right"]].set_visible(False)
    panel.margins(x=0.1)
