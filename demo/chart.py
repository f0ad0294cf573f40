"""Ready pods over time as a picture: a live one for the terminal, an SVG file for later. Pure."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.table import Table
from rich.text import Text

from demo.observe import Sample, Service


def live_chart(
    samples: Sequence[Sample], wanted: Mapping[Service, int], title: str, columns: int
) -> Table:
    """One row per service, one digit per sample, or per few of them where `columns` are too few.

    The digit is how many pods were ready, at the least. Red is none, yellow is fewer than
    wanted, green is all.
    """
    group = max(1, -(-len(samples) // columns))
    seconds = samples[-1].second if samples else 0
    table = Table(title=f"{title}: {seconds:.0f} s", title_justify="left")
    table.add_column("service")
    table.add_column("ready", justify="right")
    table.add_column(f"ready pods, a digit for {group} s", no_wrap=True)
    for service, count in wanted.items():
        history = [sample.ready.get(service, 0) for sample in samples]
        now = history[-1] if history else 0
        table.add_row(str(service), f"{now}/{count}", _digits(least(history, group), count))
    return table


def least(history: Sequence[int], group: int) -> list[int]:
    """The smallest of each `group` neighbours: a moment without pods must not be hidden."""
    return [min(history[start : start + group]) for start in range(0, len(history), group)]


def line(sample: Sample, wanted: Mapping[Service, int]) -> str:
    """One line about a moment: the services that lack pods."""
    return f"{sample.second:.0f} s: {lacking(sample.ready, wanted)}"


def lacking(ready: Mapping[Service, int], wanted: Mapping[Service, int]) -> str:
    """The services that lack pods, with ready and wanted ones; or that there are none."""
    short = [
        f"{service} {ready.get(service, 0)}/{count}"
        for service, count in wanted.items()
        if ready.get(service, 0) < count
    ]
    return ", ".join(short) or "all pods ready"


def _digits(history: Sequence[int], wanted: int) -> Text:
    text = Text()
    for ready in history:
        text.append(str(min(ready, 9)), style=_colour(ready, wanted))
    return text


def _colour(ready: int, wanted: int) -> str:
    if ready == 0:
        return "bold red"
    return "green" if ready >= wanted else "yellow"


def svg(samples: Sequence[Sample], wanted: Mapping[Service, int], title: str) -> str:
    """An SVG document: a panel per service, a column per instance, ready pods over seconds.

    The dashed line is how many pods are wanted; times without any pod are red.
    """
    namespaces = sorted({service.namespace for service in wanted})
    workloads = sorted({service.workload for service in wanted})
    size = (5 * len(namespaces), 0.9 * len(workloads) + 1)
    # Text stays text, and equal samples give equal files.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(
            len(workloads), len(namespaces), sharex=True, sharey="row", squeeze=False
        )
        figure.suptitle(title)
        figure.supxlabel("seconds since the loss")
        for row, workload in enumerate(workloads):
            for column, namespace in enumerate(namespaces):
                service = Service(namespace, workload)
                _panel(panels[row][column], samples, service, wanted.get(service, 0))
        document = io.StringIO()
        figure.savefig(document, format="svg", metadata={"Date": None})
    return document.getvalue()


def changes(points: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """The first point, those where the count changes, and the last: (second, count) each."""
    kept = [after for before, after in pairwise(points) if after[1] != before[1]]
    return list(dict.fromkeys([*points[:1], *kept, *points[-1:]]))


def _panel(panel: Axes, samples: Sequence[Sample], service: Service, wanted: int) -> None:
    points = changes([(sample.second, sample.ready.get(service, 0)) for sample in samples])
    seconds, ready = [second for second, _ in points], [count for _, count in points]
    # A count holds until the next sample; a slanted line would show pods that never were.
    panel.fill_between(seconds, ready, step="post", color="tab:green", alpha=0.4)
    panel.axhline(wanted, linestyle="--", linewidth=0.8, color="grey")
    for (second, count), (until, _) in pairwise(points):
        if count == 0:
            panel.axvspan(second, until, color="tab:red", alpha=0.4, linewidth=0)
    panel.set_title(str(service), fontsize="small", loc="left")
    panel.set_ylim(0, max([wanted, *ready]) + 0.5)
    panel.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
