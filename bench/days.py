"""The fixed day, and what a fleet that follows it costs beside one that does not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from localcluster import nodegroups

from bench import hpa, packing, replay
from bench.demand import Workload
from bench.replay import App, Plan, State

# Percent of the peak, hour by hour. The load jumps at the full hour.
PERCENT = (
    *(10, 5, 5, 5, 5, 8, 15, 30, 55, 70, 75, 80),
    *(70, 75, 80, 75, 65, 60, 70, 90, 100, 85, 50, 20),
)
HOUR_S = 3600
DAY_S = len(PERCENT) * HOUR_S


@dataclass(frozen=True)
class Fleet:
    """Instances of a profile, whose workloads may have so many `times` the pods of its bounds.

    `services`: their AUTOSCALE_SERVICES. `room`: whether the platform holds room for a surge.
    """

    name: str
    profile: str
    instances: int
    times: int
    instance_type: str
    room: bool = True
    services: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hour:
    """One hour of a fleet: LMS pods and nodes, on average, and the load in percent of the peak."""

    fleet: str
    hour: int
    percent: int
    lms_pods: float
    nodes: float


@dataclass(frozen=True)
class Day:
    """A fleet's day. `peak_nodes`: those of a fleet of fixed size that bears the peak.

    `short_minutes`: for how long its LMS pods had more to do than they request, which makes them
    slow, but not wrong. `least_ready`: the fewest ready LMS pods that an instance had.
    """

    fleet: str
    instances: int
    node_hours: float
    peak_nodes: int
    percent: float
    most_nodes: int
    short_minutes: float
    least_ready: int


def load(second: float) -> float:
    """The share of the peak, day after day."""
    return PERCENT[int(second // HOUR_S) % len(PERCENT)] / 100


def apps(found: Sequence[Workload], fleet: Fleet) -> tuple[App, ...]:
    """The fleet's workloads; at the peak they have what their most pods are there to bear."""
    grown = [larger(each, fleet.times) for each in found]
    return tuple(
        App(f"instance-{number}", each, peak_millicores(each))
        for number in range(fleet.instances)
        for each in grown
    )


def larger(workload: Workload, times: int) -> Workload:
    """The same workload with so many times the pods at most, if it scales."""
    if not workload.scaler:
        return workload
    most = workload.most * times
    return replace(workload, most=most, scaler={**workload.scaler, "maxReplicas": most})


def peak_millicores(workload: Workload) -> float:
    """What `most` pods use when their use is what the autoscaler aims at."""
    if not workload.scaler:
        return 0
    target = hpa.targets(workload.scaler)["cpu"]
    return workload.most * workload.size.millicores * target / 100


def day(fleet: str, plan: Plan, states: Sequence[State]) -> tuple[Day, list[Hour]]:
    """What these states, a step each, say of the fleet."""
    lms = [number for number, app in enumerate(plan.apps) if app.workload.name == "lms"]
    paid_s = nodegroups.node_seconds(states[-1].spans, 0, DAY_S)
    peak_nodes = len(fixed(plan, states))
    short = sum(_is_short(plan, state, number) for state in states for number in lms) / len(lms)
    found = Day(
        fleet,
        len(lms),
        round(paid_s / HOUR_S, 1),
        peak_nodes,
        round(100 * paid_s / (peak_nodes * DAY_S), 1),
        max(len(state.living) for state in states),
        round(short * replay.STEP_S / 60, 1),
        min(state.ready(number) for state in states for number in lms),
    )
    return found, hours(fleet, lms, states)


def hours(fleet: str, lms: Sequence[int], states: Sequence[State]) -> list[Hour]:
    """Averages of each hour."""
    found = []
    for hour, percent in enumerate(PERCENT):
        within = [state for state in states if state.now_s // HOUR_S == hour]
        pods = sum(len(state.pods[number]) for state in within for number in lms)
        nodes = sum(len(state.living) for state in within)
        count = len(within)
        found.append(Hour(fleet, hour, percent, round(pods / count, 1), round(nodes / count, 1)))
    return found


def fixed(plan: Plan, states: Sequence[State]) -> list[nodegroups.Node]:
    """The nodes that hold all pods that there ever were at once, without room for a surge."""
    most: Mapping[int, int] = {
        number: max(len(state.pods[number]) for state in states) for number in range(len(plan.apps))
    }
    pods = [app.workload.pods(app.namespace, most[n]) for n, app in enumerate(plan.apps)]
    return packing.pack(pods, plan.size)


def _is_short(plan: Plan, state: State, number: int) -> bool:
    app = plan.apps[number]
    has = state.ready(number) * app.workload.size.millicores
    return load(state.now_s) * app.peak_millicores > has


def claims(found: Day, most_percent: float) -> list[tuple[str, bool, str]]:
    """(claim, whether it holds, detail) for the fleet."""
    detail = f"{found.percent} % of {found.peak_nodes} nodes all day"
    return [
        (
            f"{found.fleet}: at most {most_percent:g} % of the node-hours of a fixed fleet",
            found.percent <= most_percent,
            detail,
        ),
        (
            f"{found.fleet}: never fewer than two ready LMS pods",
            found.least_ready >= 2,
            f"{found.least_ready}",
        ),
    ]


def line(each: Day) -> str:
    """A day in a line."""
    return (
        f"{each.fleet}: {each.instances} instances, {each.node_hours} node-hours, {each.percent} % "
        f"of {each.peak_nodes} nodes all day; {each.most_nodes} nodes at most, an LMS short of cpu "
        f"for {each.short_minutes} minutes, never fewer than {each.least_ready} ready LMS pods"
    )
