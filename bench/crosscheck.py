"""The surge of `make bench-surge`, replayed, to see whether the replay is right. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from localcluster.nodegroups import Pod, Size

from bench import replay
from bench.demand import Workload
from bench.reaction import Moment
from bench.replay import App, Plan, State

JUMP_S = 60


def rise(
    found: Sequence[Workload], names: Sequence[str], room: Sequence[Pod], size: Size, most: int
) -> list[Moment]:
    """Moments after the load of the first instance's LMS had jumped to `most` millicores."""
    apps = tuple(
        App(name, each, most if (name, each.name) == (names[0], "lms") else 0)
        for name in names
        for each in found
    )
    plan = Plan(apps, tuple(room), size, unneeded_s=120)
    states = replay.replayed(plan, lambda second: 1 if second >= JUMP_S else 0.25, JUMP_S + 420)
    lms = next(number for number, app in enumerate(apps) if app.peak_millicores)
    return [moment(state, lms) for state in states if state.now_s >= JUMP_S]


def moment(state: State, lms: int) -> Moment:
    """The state as somebody sees it who looks at a cluster."""
    pods = state.pods[lms]
    living = state.living
    return Moment(
        state.now_s - JUMP_S,
        len(pods),
        sum(each.node != "" for each in pods),
        state.ready(lms),
        sum(each.node != "" for each in state.pods[replay.ROOM]),
        len(living),
        sum(span.joined_s <= state.now_s for span in living),
    )
