"""Wiring: `make bench-resilience`: the same faults for Tutor alone, two other plugins, and ours."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from localcluster.cluster import LocalCluster
from localcluster.model import ClusterShape, NodeShape, PodTimes
from rich.console import Console

from bench import faults, outcomes, picture, rows
from bench.arena import Arena
from bench.faults import Fault
from bench.outcomes import Outcome
from bench.variants import OURS, VARIANTS
from demo import running
from demo.report import Checks
from demo.view import View

DOCS = Path(__file__).parents[1] / "docs"
BLIPS_S = (45, 55, 75)

# All variants fit twice, so that there is room for all of them in two of three zones.
SHAPE = ClusterShape(node=NodeShape("m6i.2xlarge", cpu=8, memory_gib=32))
QUICK_SHAPE = ClusterShape(pods=PodTimes(openedx_s=3, other_s=2, job_s=1, stop_s=0.5))


def main() -> int:
    """0 if ours met its targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ours alone, four faults; no files")
    quick = parser.parse_args().quick
    return running.run("bench-resilience", partial(run, quick=quick))


def run(console: Console, quick: bool) -> int:
    """Compare on a fresh cluster, and write what came of it."""
    shape, variants = (QUICK_SHAPE, (OURS,)) if quick else (SHAPE, VARIANTS)
    checks = Checks(console)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        LocalCluster(shape, progress=console.print) as cluster,
    ):
        arena = Arena(View(cluster), variants, console)
        arena.deploy(Path(folder))
        found = suffer(arena, few(arena) if quick else every(arena))
    console.print(outcomes.table(found))
    for claim in outcomes.claims(
        [each for each in found if each.variant == OURS.name], shape.pods.openedx_s
    ):
        checks.check(*claim)
    if not quick:
        write(found)
    return 1 if checks.failed else 0


def suffer(arena: Arena, chosen: Iterator[Fault]) -> list[Outcome]:
    """All outcomes of these faults, one after the other, with their time on the console."""
    found: list[Outcome] = []
    for fault in chosen:
        started = time.monotonic()
        arena.console.rule(fault.name)
        new = faults.suffer(arena, fault)
        for each in new:
            arena.console.print(f"  {outcomes.line(each)}", highlight=False)
        arena.console.print(f"{fault.name}: {time.monotonic() - started:.0f} s")
        found += new
    return found


def every(arena: Arena) -> Iterator[Fault]:
    """All faults."""
    yield faults.pod(arena)
    yield faults.rolling_update(arena)
    yield faults.drain(arena)
    for seconds in BLIPS_S:
        yield faults.blip(arena, seconds)
    yield faults.node(arena)
    for zone in arena.view.cluster.shape.zones:
        yield faults.zone(arena, zone)


def few(arena: Arena) -> Iterator[Fault]:
    """One of each kind that a change of ours is likely to break."""
    yield faults.pod(arena)
    yield faults.rolling_update(arena)
    yield faults.drain(arena)
    yield faults.zone(arena, arena.view.busiest_zone("lms"))


def write(found: Sequence[Outcome]) -> None:
    """docs/resilience.csv and docs/resilience.svg."""
    rows.write(DOCS / "resilience.csv", found)
    (DOCS / "resilience.svg").write_text(picture.svg(outcomes.worst_zone(found), VARIANTS))


if __name__ == "__main__":
    sys.exit(main())
