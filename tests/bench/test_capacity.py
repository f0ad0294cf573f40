"""What docs/explanation/capacity.md and the README say is what the last runs have written."""

from __future__ import annotations

from pathlib import Path

import pytest
from localcluster.nodegroups import Size

from bench import (
    crosscheck,
    daypicture,
    days,
    demand,
    packing,
    prices,
    reaction,
    rendering,
    rows,
    surge,
)
from bench.day import FLEETS, MOST_PERCENT
from bench.days import Day, Hour
from bench.fleet import INSTANCES, PROFILES
from bench.packing import Packing
from bench.reaction import Reaction

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "explanation" / "capacity.md"


def table(*header: str) -> list[list[str]]:
    """The rows of the page's table that has this header."""
    blocks = PAGE.read_text().split("\n\n")
    cells = [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        for block in blocks
        if block.startswith("|")
    ]
    [found] = [rows for rows in cells if rows[0][: len(header)] == list(header)]
    return found[2:]


def packings() -> list[Packing]:
    return [
        Packing(
            row["profile"],
            row["instance_type"],
            int(row["instances"]),
            int(row["nodes"]),
            int(row["requested_cpu_percent"]),
            int(row["requested_memory_percent"]),
            int(row["month_usd"]),
            float(row["instance_month_usd"]),
        )
        for row in rows.read(DOCS / "fleet.csv")
    ]


def published_days() -> list[Day]:
    return [
        Day(
            row["fleet"],
            int(row["instances"]),
            float(row["node_hours"]),
            int(row["peak_nodes"]),
            float(row["percent"]),
            int(row["most_nodes"]),
            float(row["short_minutes"]),
            int(row["least_ready"]),
        )
        for row in rows.read(DOCS / "day.csv")
    ]


def published_hours() -> list[Hour]:
    return [
        Hour(
            row["fleet"],
            int(row["hour"]),
            int(row["percent"]),
            float(row["lms_pods"]),
            float(row["nodes"]),
        )
        for row in rows.read(DOCS / "day-hours.csv")
    ]


def surges() -> list[Reaction]:
    return [
        Reaction(
            row["variant"],
            int(row["pods_before"]),
            int(row["pods_after"]),
            **{name: int(row[name]) if row[name] else None for name in list(row)[3:]},  # type: ignore[arg-type]
        )
        for row in rows.read(DOCS / "surge.csv")
    ]


def test_the_sizing_table_has_the_cheapest_type_of_each_profile() -> None:
    cheapest = packing.cheapest(packings())
    assert list(cheapest) == list(PROFILES)
    assert {each.instances for each in packings()} == {INSTANCES}
    for profile, *cells in table("profile", "pods"):
        each = cheapest[profile]
        percents = f"{each.requested_cpu_percent} %, {each.requested_memory_percent} %"
        cost = f"{each.instance_month_usd:.2f}"
        assert cells[3:] == [each.instance_type, str(each.nodes), percents, cost]
        assert f"${cost} (`{profile}`)" in (DOCS.parent / "README.md").read_text()


@pytest.mark.render
def test_the_sizing_table_says_what_is_rendered(pinned_kubectl: None) -> None:
    for profile, pods, cpus, gib, *_ in table("profile", "pods"):
        size = demand.idle(demand.workloads(rendering.rendered(AUTOSCALE_PROFILE=profile), {}))
        assert (pods, cpus) == (str(size.pods), f"{size.millicores / 1000:g}")
        assert gib == f"{size.memory_bytes / 2**30:.1f}"


def test_the_days_of_the_page_are_those_of_the_file() -> None:
    assert [each.fleet for each in published_days()] == [fleet.name for fleet in FLEETS]
    assert table("fleet") == [
        [
            each.fleet,
            str(each.instances),
            str(each.node_hours),
            f"{each.percent} % of {each.peak_nodes} nodes",
            str(each.short_minutes),
            str(each.least_ready),
        ]
        for each in published_days()
    ]


def test_the_day_of_the_large_fleet_keeps_its_target() -> None:
    claims = days.claims(published_days()[0], MOST_PERCENT)
    assert [claim for claim, holds, _ in claims if not holds] == []
    assert f"{published_days()[0].percent} %" in (DOCS.parent / "README.md").read_text()


def test_the_picture_of_the_day_shows_the_published_numbers() -> None:
    large = published_days()[0]
    hours = [each for each in published_hours() if each.fleet == large.fleet]
    assert daypicture.svg(large, hours) == (DOCS / "day.svg").read_text()
    assert [each.percent for each in hours] == list(days.PERCENT)


def test_the_surges_of_the_page_are_those_of_the_file() -> None:
    assert table("", "asked for") == [
        [
            each.variant,
            f"{each.asked_s} s",
            f"{each.at_once} of {each.pods_after - each.pods_before}",
            f"{each.node_s} s",
            f"{each.placed_s} s",
            f"{each.full_s} s",
            f"{each.nodes_before} → {each.nodes_most}",
        ]
        for each in surges()
    ]


def test_the_published_surge_found_room_at_once() -> None:
    without, with_room = surges()
    assert [claim for claim, holds, _ in reaction.claims(with_room) if not holds] == []
    assert with_room.full_s is not None
    assert without.full_s is not None
    assert with_room.full_s < without.full_s


@pytest.mark.render
def test_the_replay_says_what_the_cluster_did(pinned_kubectl: None) -> None:
    """The same pods, a node more or less, seconds within a step of 15 s."""
    values = rendering.chart_values()
    found = demand.workloads(rendering.rendered(), packing.priorities(values))
    size = demand.allocatable(surge.SHAPE.node, Size(0, 0, 0))
    for live in surges():
        room = demand.surge_room(values) if live.variant == "with room" else []
        moments = crosscheck.rise(found, surge.NAMES, room, size, surge.CALM * surge.TIMES)
        said = reaction.reaction(live.variant, moments)
        assert (said.pods_after, said.at_once) == (live.pods_after, live.at_once)
        assert said.nodes_before == pytest.approx(live.nodes_before, abs=1)
        assert said.nodes_most == pytest.approx(live.nodes_most, abs=1)
        for name in ("asked_s", "at_once_s", "node_s", "placed_s", "full_s", "room_back_s"):
            assert getattr(said, name) == pytest.approx(getattr(live, name), abs=16), name


def test_every_price_has_a_shape() -> None:
    for instance_type in prices.HOURLY_USD:
        assert prices.shape(instance_type).instance_type == instance_type
