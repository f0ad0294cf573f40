"""Ready pods over time as pictures."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

from rich.console import Console

from demo import chart
from demo.observe import Sample, Service

LMS = Service("acme", "lms")
SAMPLES = [Sample(float(second), {LMS: count}) for second, count in enumerate((2, 1, 0, 1, 2))]


def drawn(columns: int) -> str:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(chart.live_chart(SAMPLES, {LMS: 2}, "zone lost", columns))
    return console.export_text()


def test_the_terminal_shows_one_digit_a_second() -> None:
    assert "21012" in drawn(columns=40)


def test_where_columns_are_few_a_digit_is_the_least_of_its_seconds() -> None:
    """A moment without pods is never averaged away."""
    assert "│ 102 " in drawn(columns=3)


def test_nothing_seen_yet_is_drawn_as_nothing() -> None:
    table = chart.live_chart([], {LMS: 2}, "zone lost", 40)
    assert table.row_count == 1


def test_the_svg_has_a_panel_for_every_service() -> None:
    wanted = {LMS: 2, Service("beta", "lms"): 2}
    document = ElementTree.fromstring(chart.svg(SAMPLES, wanted, "zone lost"))
    texts = {(each.text or "").strip() for each in document.iter()}
    assert {"zone lost", "acme/lms", "beta/lms"} <= texts
    assert [each for each in document.iter() if each.tag.endswith("script")] == []


def test_a_curve_keeps_the_points_that_matter() -> None:
    points = [(0.0, 2), (1.0, 2), (2.0, 1), (3.0, 1), (4.0, 1)]
    assert chart.changes(points) == [(0.0, 2), (2.0, 1), (4.0, 1)]
    assert chart.changes([(0.0, 2)]) == [(0.0, 2)]
    assert chart.changes([]) == []


def test_equal_samples_give_equal_pictures() -> None:
    assert chart.svg(SAMPLES, {LMS: 2}, "t") == chart.svg(SAMPLES, {LMS: 2}, "t")


def test_a_line_names_the_services_that_lack_pods() -> None:
    assert chart.line(SAMPLES[2], {LMS: 2}) == "2 s: acme/lms 0/2"
    assert chart.line(SAMPLES[0], {LMS: 2}) == "0 s: all pods ready"
