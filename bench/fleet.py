"""Wiring: `make bench-fleet`: nodes and money for 50 idle instances, by profile and node type."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from bench import demand, packing, prices, rendering, rows

FILE = Path(__file__).parents[1] / "docs" / "fleet.csv"
PROFILES = ("small", "standard")
INSTANCES = 50


def main() -> int:
    """0; writes docs/fleet.csv."""
    console = Console()
    values = rendering.chart_values()
    surge = demand.surge_room(values)
    found: list[packing.Packing] = []
    for profile in PROFILES:
        manifests = rendering.rendered(AUTOSCALE_PROFILE=profile)
        workloads = demand.workloads(manifests, packing.priorities(values))
        console.print(packing.idle_line(profile, workloads), highlight=False)
        found += [
            packing.packing(profile, workloads, INSTANCES, surge, instance_type)
            for instance_type in prices.HOURLY_USD
        ]
    console.print(packing.table(found))
    for profile, each in packing.cheapest(found).items():
        cost = f"${each.instance_month_usd:.2f} a month each"
        console.print(f"{profile}: {cost}, on {each.nodes} {each.instance_type}", highlight=False)
    rows.write(FILE, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
