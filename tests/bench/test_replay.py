"""A fleet replayed: pods follow the load, nodes follow the pods, important pods come first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from localcluster.nodegroups import Pod, Size
from tutorautoscale.scalers import BEHAVIOR

from bench import replay
from bench.demand import Workload
from bench.replay import App, Plan, State

GIB = 2**30
NODE = Size(4000, 16 * GIB, pods=58)
LMS = Size(1000, 4 * GIB)
CPU = {"containerResource": {"name": "cpu", "target": {"averageUtilization": 50}}}
SCALER = {"minReplicas": 2, "maxReplicas": 12, "metrics": [CPU], "behavior": BEHAVIOR}
WORKLOAD = Workload("lms", 2, 12, LMS, spread=True, priority=0, scaler=SCALER)
# What ten of them bear.
PEAK = 5000

HOUR_S = 3600


def plan(instances: int = 1, rooms: int = 0) -> Plan:
    apps = tuple(App(f"i{number}", WORKLOAD, PEAK) for number in range(instances))
    room = tuple(Pod("platform", f"pause-{n}", Size(1000, 12 * GIB), -5) for n in range(rooms))
    return Plan(apps, room, NODE)


def jump(second: float) -> float:
    """A fifth of the peak, and after an hour the peak, for an hour."""
    return 1 if HOUR_S <= second < 2 * HOUR_S else 0.2


def states(of: Plan, load: Callable[[float], float] = jump, hours: int = 4) -> list[State]:
    return list(replay.replayed(of, load, hours * HOUR_S))


def at(found: list[State], second: float) -> State:
    return found[round(second / replay.STEP_S)]


def test_nothing_to_do_is_two_pods_on_a_node_a_zone() -> None:
    found = states(plan(), lambda _: 0, hours=1)
    assert {(len(state.pods[0]), state.ready(0), len(state.living)) for state in found} == {
        (2, 2, 3)
    }


def test_pods_and_then_nodes_follow_the_load() -> None:
    found = states(plan(3))
    calm, busy, after = (at(found, second) for second in (3500, 7100, 14000))
    assert [len(calm.pods[n]) for n in range(3)] == [2, 2, 2]
    assert [busy.ready(n) for n in range(3)] == [10, 10, 10]
    assert [after.ready(n) for n in range(3)] == [2, 2, 2]
    assert len(calm.living) == 3
    # 30 pods of 4 GiB, four on a node.
    assert len(busy.living) >= 8
    assert len(after.living) < len(busy.living)


def test_nodes_come_75_s_after_pods_found_no_room() -> None:
    found = states(plan(2))
    new = [span for span in found[-1].spans if span.asked_s >= HOUR_S]
    assert new
    assert {span.joined_s - span.asked_s for span in new} == {75}


@pytest.mark.parametrize(("rooms", "after_s"), [(0, 150), (6, 75)])
def test_pods_that_hold_room_give_way_at_once(rooms: int, after_s: float) -> None:
    """With them the load is borne as soon as pods have started, else after nodes have come."""
    found = states(plan(2, rooms))
    full = next(s.now_s for s in found if s.now_s > HOUR_S and s.ready(0) + s.ready(1) == 20)
    assert full - HOUR_S == pytest.approx(after_s, abs=30)
    if rooms:
        assert min(sum(p.node != "" for p in s.pods[replay.ROOM]) for s in found) < rooms / 2
        assert all(pod.node for pod in at(found, 7000).pods[replay.ROOM])


def test_pods_are_spread_over_zones() -> None:
    busy = at(states(plan()), 7000)
    zones = {span.node: span.zone for span in busy.spans}
    counts = [sum(zones[p.node] == zone for p in busy.pods[0]) for zone in "abc"]
    assert max(counts) - min(counts) <= 1


def test_a_node_that_leaves_takes_one_pod_of_a_workload_at_a_time() -> None:
    """No pod moves while another one starts, as a budget of one pod has it."""
    found = states(plan(3))
    assert min(state.ready(n) for state in found for n in range(3)) >= 1
    lost = [span for span in found[-1].spans if span.gone_s is not None]
    assert lost
