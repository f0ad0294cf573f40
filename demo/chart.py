"""Ready pods over time as a picture: a live one for the terminal, an SVG file for later. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element

import pygal
from pygal.style import CleanStyle
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
    lacking = [
        f"{service} {sample.ready.get(service, 0)}/{count}"
        for service, count in wanted.items()
        if sample.ready.get(service, 0) < count
    ]
    return f"{sample.second:.0f} s: {', '.join(lacking) or 'all pods ready'}"


def _digits(history: Sequence[int], wanted: int) -> Text:
    text = Text()
    for ready in history:
        text.append(str(min(ready, 9)), style=_colour(ready, wanted))
    return text


def _colour(ready: int, wanted: int) -> str:
    if ready == 0:
        return "bold red"
    return "green" if ready >= wanted else "yellow"


def svg(samples: Sequence[Sample], services: Sequence[Service], title: str) -> str:
    """The samples as a line chart, one line per service: an SVG document without scripts."""
    chart = pygal.XY(
        title=title,
        x_title="seconds since the loss",
        y_title="ready pods",
        js=[],
        style=CleanStyle,
        dots_size=1,
        show_dots=False,
        include_x_axis=True,
        width=1000,
        height=420,
    )
    chart.add_xml_filter(_without_scripts)
    for service in services:
        points = [(sample.second, sample.ready.get(service, 0)) for sample in samples]
        chart.add(str(service), _steps(points))
    rendered: str = chart.render(is_unicode=True)
    return rendered


def _without_scripts(root: Element) -> Element:
    # Pages that show the picture, such as a README, do not run its script.
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).endswith("script"):
                parent.remove(child)
    return root


def _steps(points: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    # A count holds until the next sample; a slanted line would show pods that never were.
    stepped = list(points[:1])
    for (_, before), (second, count) in pairwise(points):
        if count != before:
            stepped.append((second, before))
            stepped.append((second, count))
    return stepped + list(points[-1:])
