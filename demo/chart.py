"""Ready pods over time as a picture: a live one for the terminal, an SVG file for later. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pygal
from pygal.style import CleanStyle
from rich.table import Table
from rich.text import Text

from demo.observe import Sample, Service


def live_chart(
    samples: Sequence[Sample], wanted: Mapping[Service, int], title: str, columns: int
) -> Table:
    """One row per service, one digit per sample: its ready pods. The newest `columns` samples.

    Red is none, yellow is fewer than wanted, green is all.
    """
    seconds = samples[-1].second if samples else 0
    table = Table(title=f"{title}: {seconds:.0f} s", title_justify="left")
    table.add_column("service")
    table.add_column("ready", justify="right")
    table.add_column("ready pods, one digit a second", no_wrap=True)
    for service, count in wanted.items():
        history = [sample.ready.get(service, 0) for sample in samples[-columns:]]
        now = history[-1] if history else 0
        table.add_row(str(service), f"{now}/{count}", _digits(history, count))
    return table


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
    for service in services:
        points = [(sample.second, sample.ready.get(service, 0)) for sample in samples]
        chart.add(str(service), _steps(points))
    rendered: str = chart.render(is_unicode=True)
    return rendered


def _steps(points: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    # A count holds until the next sample; a slanted line would show pods that never were.
    stepped = list(points[:1])
    for (_, before), (second, count) in pairwise(points):
        if count != before:
            stepped.append((second, before))
            stepped.append((second, count))
    return stepped + list(points[-1:])
