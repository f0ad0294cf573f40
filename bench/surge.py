"""Wiring: `make bench-surge`: four times the load, with room that waits for it and without."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from localcluster.cluster import LocalCluster
from localcluster.model import ClusterShape
from localcluster.nodescaler import NodeScaler, Pace
from rich.console import Console

from bench import prices, reaction, rows
from bench.reaction import Moment, Reaction
from bench.surging import Surge
from demo import running
from demo.report import Checks
from demo.view import View

FILE = Path(__file__).parents[1] / "docs" / "surge.csv"
NAMES = ("acme", "beta")
# One node a zone; those that the instances need besides come by themselves. Small nodes, on which
# little is left over: on what is left over by chance a surge would find room as well.
SHAPE = ClusterShape(nodes_per_zone=1, node=prices.shape("m6i.large"))
# The autoscaler of nodes waits ten minutes before it takes one away; here it waits two.
PACE = Pace(unneeded_s=120)

# What two LMS pods can just bear: 90 % of 2 x 500m x 70 %.
CALM = 630
TIMES = 4
RISE_TIMEOUT_S = 420
FALL_TIMEOUT_S = 1500
# An autoscaler may ask for more in a second step, when the first pods are ready.
QUIET_AFTER_S = 120


def main() -> int:
    """0 if a surge finds room at once, and the fall costs nobody his pods."""
    return running.run("bench-surge", run)


def run(console: Console) -> int:
    """Both variants, one after the other, and docs/surge.csv."""
    checks = Checks(console)
    found = [
        bench(console, "without room", room=False),
        bench(console, "with room", room=True),
    ]
    rows.write(FILE, found)
    for claim in reaction.claims(found[-1]):
        checks.check(*claim)
    return 1 if checks.failed else 0


def bench(console: Console, variant: str, room: bool) -> Reaction:
    """One variant on a cluster of its own; the load falls again where there is room to win back."""
    console.rule(variant)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        LocalCluster(SHAPE, progress=console.print) as cluster,
        NodeScaler(cluster.client, cluster.nodes, SHAPE, PACE) as scaler,
    ):
        surge = Surge(View(cluster), scaler, console, NAMES)
        if room:
            surge.install_room(Path(folder))
        surge.deploy(Path(folder))
        found = reaction.reaction(variant, *phases(surge, CALM, room))
    console.print(reaction.line(found), highlight=False)
    return found


def phases(surge: Surge, calm: int, falls: bool) -> tuple[list[Moment], list[Moment]]:
    """What was seen after the load had jumped from `calm`, and after it had fallen again."""
    surge.bear(calm)
    surge.wait_for_metrics()
    surge.settle()
    before = surge.watch(lambda _: True, 0)[0]
    surge.bear(calm * TIMES)

    def whole(moment: Moment) -> bool:
        grown = before.ready < moment.asked == moment.ready and moment.room >= before.room
        return grown and moment.nodes == moment.joined and moment.second > QUIET_AFTER_S

    rise = surge.watch(whole, RISE_TIMEOUT_S)
    if not falls:
        return rise, []
    surge.bear(calm)

    def back(moment: Moment) -> bool:
        return moment.nodes <= before.nodes and moment.asked == moment.ready == before.ready

    return rise, surge.watch(back, FALL_TIMEOUT_S)


if __name__ == "__main__":
    sys.exit(main())
