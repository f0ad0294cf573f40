"""Wiring: `make bench-day`: the node-hours of a day, beside those of a fleet of fixed size."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import daypicture, days, demand, packing, prices, rendering, replay, rows
from bench.days import Day, Fleet, Hour
from demo.report import Checks

DOCS = Path(__file__).parents[1] / "docs"
FLEETS = (
    Fleet("large", "standard", instances=1, times=6, instance_type="m6i.2xlarge"),
    Fleet("large, no room", "standard", 1, 6, "m6i.2xlarge", room=False),
    Fleet("standard", "standard", instances=3, times=1, instance_type="m6i.xlarge"),
    Fleet("standard, LMS min 3", "standard", 3, 1, "m6i.xlarge", services={"lms": {"min": 3}}),
    Fleet("small", "small", instances=5, times=1, instance_type="r6i.large"),
)
MOST_PERCENT = 60


def main() -> int:
    """0 if the first fleet keeps its target; writes docs/day.csv, day-hours.csv and day.svg."""
    console = Console()
    found: list[Day] = []
    hours: list[Hour] = []
    for fleet in FLEETS:
        day, of_day = replayed(fleet)
        console.print(days.line(day), highlight=False)
        found.append(day)
        hours += of_day
    rows.write(DOCS / "day.csv", found)
    rows.write(DOCS / "day-hours.csv", hours)
    (DOCS / "day.svg").write_text(picture(found, hours))
    checks = Checks(console)
    for claim in days.claims(found[0], MOST_PERCENT):
        checks.check(*claim)
    return 1 if checks.failed else 0


def replayed(fleet: Fleet) -> tuple[Day, list[Hour]]:
    """The fleet's day, with what is rendered for its instances."""
    values = rendering.chart_values()
    manifests = rendering.rendered(
        AUTOSCALE_PROFILE=fleet.profile, AUTOSCALE_SERVICES=dict(fleet.services)
    )
    workloads = demand.workloads(manifests, packing.priorities(values))
    room = demand.surge_room(values) if fleet.room else []
    size = demand.allocatable(prices.shape(fleet.instance_type), prices.ON_EVERY_NODE)
    plan = replay.Plan(days.apps(workloads, fleet), tuple(room), size)
    states = list(replay.replayed(plan, days.load, days.DAY_S))
    return days.day(fleet.name, plan, states)


def picture(found: Sequence[Day], hours: Sequence[Hour]) -> str:
    """The first fleet's day."""
    shown = [hour for hour in hours if hour.fleet == found[0].fleet]
    return daypicture.svg(found[0], shown)


if __name__ == "__main__":
    sys.exit(main())
