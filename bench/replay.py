"""Hours of a fleet in seconds: load in, pods and nodes out. Pure.

How many pods there should be is decided by `hpa`, which nodes come and go by `nodegroups`; here
time moves on in steps of 15 s, and a scheduler places pods where least is requested.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from localcluster import nodegroups
from localcluster.nodegroups import Node, Pod, Size, Span

from bench import hpa, packing
from bench.demand import Workload

STEP_S = hpa.PERIOD_S
NEVER = math.inf
# In place of an app's number: pods that hold room.
ROOM = -1
WARM_UP_S = 3 * 3600
# Pods that come later have numbers of their own.
MADE = 1000


@dataclass(frozen=True)
class App:
    """A workload of an instance, and what its pods use in all when there is the most to do."""

    namespace: str
    workload: Workload
    peak_millicores: float = 0


@dataclass(frozen=True)
class Plan:
    """What runs, on nodes of one size. Seconds; the autoscaler's and EC2's as in `nodescaler.Pace`.

    `start_s`: until a pod that has a node is ready. `memory_percent`: of the request, whatever the
    load. `low`: the share of a node that is requested below which the node may go.
    """

    apps: tuple[App, ...]
    room: tuple[Pod, ...]
    size: Size
    node_s: float = 75
    unneeded_s: float = 600
    start_s: float = 45
    memory_percent: float = 40
    low: float = nodegroups.LOW_SHARE


@dataclass(frozen=True)
class Running:
    """A pod of the app of this number, or ROOM; without a node it waits."""

    app: int
    pod: Pod
    node: str = ""
    ready_s: float = NEVER


@dataclass(frozen=True)
class State:
    """A moment of a fleet; its pods by the number of their app."""

    now_s: float
    pods: Mapping[int, tuple[Running, ...]]
    spans: tuple[Span, ...]
    memories: tuple[hpa.Memory, ...]
    since: Mapping[str, float] = field(default_factory=dict)
    leaving: tuple[str, ...] = ()
    made: int = 0

    def ready(self, app: int) -> int:
        return sum(each.ready_s <= self.now_s for each in self.pods[app])

    @property
    def waiting(self) -> list[Running]:
        """Pods without a node, the important ones first."""
        found = [each for pods in self.pods.values() for each in pods if not each.node]
        return sorted(found, key=lambda each: -each.pod.priority)

    def having(self, *changed: Running) -> State:
        """The same with these pods as they are now."""
        pods = dict(self.pods)
        for new in changed:
            pods[new.app] = tuple(new if old.pod == new.pod else old for old in pods[new.app])
        return replace(self, pods=pods)

    @property
    def living(self) -> list[Span]:
        """The nodes that are paid for."""
        return [span for span in self.spans if span.gone_s is None]


def began(plan: Plan, now_s: float) -> State:
    """A node in each zone, and every pod about to be placed."""
    nodes = tuple(Span(f"{zone}-0", zone, now_s, now_s) for zone in packing.ZONES)
    pods = {
        number: tuple(
            Running(number, pod) for pod in app.workload.pods(app.namespace, app.workload.least)
        )
        for number, app in enumerate(plan.apps)
    }
    pods[ROOM] = tuple(Running(ROOM, pod) for pod in plan.room)
    return State(now_s, pods, nodes, (hpa.Memory(),) * len(plan.apps), made=MADE)


def replayed(plan: Plan, load: Callable[[float], float], until_s: float) -> Iterator[State]:
    """A state each step from second 0 on; `load` gives the share of the peak at a second.

    What was before, three hours of it, decides what there is at second 0, and is left out.
    """
    state = began(plan, -WARM_UP_S)
    while state.now_s < until_s:
        # metrics-server tells of the time before its last look.
        state = scaled(plan, state, load(state.now_s - STEP_S))
        state = scheduled(plan, state)
        state = drained(sized(plan, state))
        if state.now_s >= 0:
            yield state
        state = replace(state, now_s=state.now_s + STEP_S)


def scaled(plan: Plan, state: State, share: float) -> State:
    """The autoscalers' turn."""
    for number, app in enumerate(plan.apps):
        if app.workload.scaler:
            state = _one_scaled(plan, state, number, share * app.peak_millicores)
    return state


def _one_scaled(plan: Plan, state: State, number: int, millicores: float) -> State:
    workload, mine = plan.apps[number].workload, state.pods[number]
    ready = state.ready(number)
    cpu = 100 * millicores / (max(1, ready) * max(1, workload.size.millicores))
    seen = hpa.Seen(
        len(mine), ready, len(mine) - ready, {"cpu": cpu, "memory": plan.memory_percent}
    )
    count, memory = hpa.decided(workload.scaler, seen, state.memories[number], state.now_s)
    memories = (*state.memories[:number], memory, *state.memories[number + 1 :])
    if count == len(mine):
        return replace(state, memories=memories)
    # As a ReplicaSet does: first those that do not run yet, then the youngest.
    stay = sorted(mine, key=lambda each: (each.node == "", each.ready_s))[:count]
    namespace, made = plan.apps[number].namespace, state.made
    added = [
        Running(number, workload.pod(namespace, made + new)) for new in range(count - len(mine))
    ]
    pods = {**state.pods, number: (*stay, *added)}
    return replace(state, pods=pods, memories=memories, made=made + len(added))


def scheduled(plan: Plan, state: State) -> State:
    """The scheduler's turn: pods that wait get nodes, the more important ones those of others."""
    for each in state.waiting:
        state = _one_scheduled(plan, state, each)
    return state


def _one_scheduled(plan: Plan, state: State, each: Running) -> State:
    nodes = sorted(usable(plan, state), key=lambda node: node.share)
    place = _place(nodes, each.pod)
    gives_way: set[Pod] = set()
    if not place:
        least = [_without_lesser(node, each.pod.priority) for node in nodes]
        place = _place(least, each.pod)
        gives_way = _in_the_way(next((n for n in nodes if n.name == place), None), each.pod)
    if not place:
        return state
    there = replace(each, node=place, ready_s=state.now_s + plan.start_s)
    gone = [
        replace(other, node="", ready_s=NEVER)
        for pods in state.pods.values()
        for other in pods
        if other.pod in gives_way
    ]
    return state.having(there, *gone)


def _place(nodes: Sequence[Node], pod: Pod) -> str:
    found = nodegroups.placed(nodes, pod)
    if found is None:
        return ""
    return next(
        after.name for before, after in zip(nodes, found, strict=True) if before is not after
    )


def _without_lesser(node: Node, priority: int) -> Node:
    kept = [pod for pod in node.pods if pod.priority >= priority]
    return Node.empty(node.name, node.zone, node.size).with_pods(*kept)


def _in_the_way(node: Node | None, pod: Pod) -> set[Pod]:
    if node is None:
        return set()
    lesser = [other for other in node.pods if other.priority < pod.priority]
    # As few as need be.
    for count in range(len(lesser) + 1):
        kept = [other for other in node.pods if other not in lesser[:count]]
        if Node.empty(node.name, node.zone, node.size).with_pods(*kept).free.holds(pod.size):
            return set(lesser[:count])
    return set(lesser)


def usable(plan: Plan, state: State) -> list[Node]:
    """The nodes that take pods, with those that are there."""
    there: dict[str, list[Pod]] = {}
    for pods in state.pods.values():
        for each in pods:
            there.setdefault(each.node, []).append(each.pod)
    return [
        Node.empty(span.node, span.zone, plan.size).with_pods(*there.get(span.node, []))
        for span in state.living
        if span.joined_s <= state.now_s and span.node not in state.leaving
    ]


def sized(plan: Plan, state: State) -> State:
    """The node groups' turn: nodes are asked for, or marked to leave."""
    nodes = usable(plan, state)
    coming = [
        Node.empty(span.node, span.zone, plan.size)
        for span in state.living
        if span.joined_s > state.now_s
    ]
    living = Counter(span.zone for span in state.living)
    groups = tuple(
        nodegroups.Group(zone, plan.size, living[zone], 1, packing.MOST) for zone in packing.ZONES
    )
    waiting = [each.pod for each in state.waiting]
    if waiting:
        return _asked(plan, state, nodegroups.missing([*nodes, *coming], waiting, groups))
    spared = set(_spare((*nodes, *coming), groups, plan.low)) - {node.name for node in coming}
    since = nodegroups.unneeded_since(state.since, sorted(spared), state.now_s)
    return _dismissed(plan, replace(state, since=since), {node.name: node for node in nodes})


@lru_cache(maxsize=4)
def _spare(nodes: tuple[Node, ...], groups: tuple[nodegroups.Group, ...], low: float) -> list[str]:
    # Most steps change nothing.
    return nodegroups.spare(nodes, groups, low)


def _asked(plan: Plan, state: State, zones: Sequence[str]) -> State:
    new = [
        Span(f"{zone}-{len(state.spans) + number}", zone, state.now_s, state.now_s + plan.node_s)
        for number, zone in enumerate(zones)
    ]
    return replace(state, spans=(*state.spans, *new))


def _dismissed(plan: Plan, state: State, nodes: Mapping[str, Node]) -> State:
    grown = {span.zone for span in state.spans if state.now_s - span.asked_s < plan.unneeded_s}
    leaving = list(state.leaving)
    for name, since_s in state.since.items():
        waited = state.now_s - since_s >= plan.unneeded_s and nodes[name].zone not in grown
        # Empty nodes all at once, others one after the other.
        if waited and (not nodes[name].pods or not leaving):
            leaving.append(name)
    return replace(state, leaving=tuple(leaving))


def drained(state: State) -> State:
    """Pods of nodes that leave move, one of a workload at a time; a node without any is gone."""
    if not state.leaving:
        return state
    moving = []
    for app, pods in state.pods.items():
        on = [each for each in pods if each.node in state.leaving]
        if app != ROOM:
            on = on[:1] if all(each.ready_s <= state.now_s for each in pods) else []
        moving += [replace(each, node="", ready_s=NEVER) for each in on]
    state = state.having(*moving)
    held = {each.node for pods in state.pods.values() for each in pods}
    gone = {name for name in state.leaving if name not in held}
    spans = tuple(
        replace(span, gone_s=state.now_s) if span.node in gone else span for span in state.spans
    )
    leaving = tuple(name for name in state.leaving if name not in gone)
    return replace(state, spans=spans, leaving=leaving)
