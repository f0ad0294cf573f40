"""Which nodes a cluster lacks and which it can spare. Pure: sizes in, decisions out.

Follows the cluster autoscaler in what matters for counting nodes: requests instead of use, first
fit, a pod's zones as its required spread asks, groups kept similar. It knows neither affinity, nor
selectors, nor volumes.
https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

# Below this share of its cpu and of its memory a node may go; the cluster autoscaler's default.
LOW_SHARE = 0.5


@dataclass(frozen=True)
class Size:
    """What pods request, or what a node has of it."""

    millicores: int
    memory_bytes: int
    pods: int = 1

    def __sub__(self, other: Size) -> Size:
        return Size(
            self.millicores - other.millicores,
            self.memory_bytes - other.memory_bytes,
            self.pods - other.pods,
        )

    def holds(self, other: Size) -> bool:
        """Whether `other` fits in here."""
        left = self - other
        return left.millicores >= 0 and left.memory_bytes >= 0 and left.pods >= 0


@dataclass(frozen=True)
class Pod:
    """A pod. Those with the same `spread` must not differ by more than one between zones.

    `stays`: nobody would start it again elsewhere, or it forbids to be moved.
    """

    namespace: str
    name: str
    size: Size
    priority: int = 0
    spread: str = ""
    stays: bool = False


@dataclass(frozen=True)
class Node:
    """A node that pods can be placed on, with those that are there; `free` is what they leave."""

    name: str
    zone: str
    size: Size
    free: Size
    pods: tuple[Pod, ...] = ()

    @classmethod
    def empty(cls, name: str, zone: str, size: Size) -> Node:
        return cls(name, zone, size, size)

    def with_pods(self, *pods: Pod) -> Node:
        """The node with these pods too, whether it has room for them or not."""
        node = self
        for pod in pods:
            node = replace(node, free=node.free - pod.size, pods=(*node.pods, pod))
        return node

    @property
    def share(self) -> float:
        """How much of the node is requested: of its cpu or of its memory, whichever is more."""
        used = self.size - self.free
        return max(
            used.millicores / self.size.millicores, used.memory_bytes / self.size.memory_bytes
        )


@dataclass(frozen=True)
class Group:
    """The Auto Scaling group of a zone, which has `count` nodes, those on their way included."""

    zone: str
    size: Size
    count: int
    least: int
    most: int


@dataclass(frozen=True)
class Span:
    """The life of a node, in seconds of one clock. `gone_s` is None while there is one."""

    node: str
    zone: str
    asked_s: float
    joined_s: float
    gone_s: float | None = None


def missing(nodes: Sequence[Node], pending: Iterable[Pod], groups: Sequence[Group]) -> list[str]:
    """A zone for each node to add, so that the pending pods find room as far as groups may grow.

    `nodes` are those that are there, and empty ones for those that are on their way.
    """
    return [node.zone for node in filled(nodes, pending, groups)[len(nodes) :]]


def filled(nodes: Sequence[Node], pending: Iterable[Pod], groups: Sequence[Group]) -> list[Node]:
    """The nodes with the pending pods on them, and behind them the nodes to add for these.

    Pods that find no room though the groups have grown as far as they may are left out.
    """
    fleet = list(nodes)
    # The scheduler, too, takes the most important first; large ones pack better first.
    for pod in sorted(pending, key=lambda each: (-each.priority, -each.size.memory_bytes)):
        found = placed(fleet, pod)
        if found is not None:
            fleet = found
            continue
        added = Counter(node.zone for node in fleet[len(nodes) :])
        group = _growing(fleet, pod, groups, added)
        if group is not None:
            new = Node.empty(f"new-{len(fleet)}", group.zone, group.size)
            fleet.append(new.with_pods(pod))
    return fleet


def placed(nodes: Sequence[Node], pod: Pod) -> list[Node] | None:
    """The nodes with the pod on the first one that has room for it; None if there is none."""
    allowed = _allowed(nodes, pod)
    for index, node in enumerate(nodes):
        if node.free.holds(pod.size) and (allowed is None or node.zone in allowed):
            return [*nodes[:index], node.with_pods(pod), *nodes[index + 1 :]]
    return None


def spare(nodes: Sequence[Node], groups: Sequence[Group], low: float = LOW_SHARE) -> list[str]:
    """Names of the nodes that could go all together: little used, their pods fit elsewhere."""
    left = list(nodes)
    counts = {group.zone: group.count for group in groups}
    least = {group.zone: group.least for group in groups}
    names: list[str] = []
    for node in sorted(nodes, key=lambda each: each.share):
        # Pods of the nodes before it may have been moved here: then it is needed.
        current = next(each for each in left if each.name == node.name)
        if current.share >= low or counts[node.zone] <= least[node.zone]:
            continue
        moved = _without(left, current)
        if moved is not None:
            left = moved
            counts[node.zone] -= 1
            names.append(node.name)
    return names


def unneeded_since(
    before: Mapping[str, float], spared: Iterable[str], now_s: float
) -> dict[str, float]:
    """Since when each of the spared nodes has been so without a break."""
    return {name: before.get(name, now_s) for name in spared}


def node_seconds(spans: Iterable[Span], from_s: float, until_s: float) -> float:
    """Seconds of nodes within a time; a node is paid for from when it was asked for."""
    return sum(
        max(
            0.0,
            min(until_s, until_s if span.gone_s is None else span.gone_s)
            - max(from_s, span.asked_s),
        )
        for span in spans
    )


def _without(nodes: Sequence[Node], node: Node) -> list[Node] | None:
    if any(pod.stays for pod in node.pods):
        return None
    rest: list[Node] | None = [each for each in nodes if each.name != node.name]
    for pod in node.pods:
        rest = None if rest is None else placed(rest, pod)
    return rest


def _growing(
    fleet: Sequence[Node], pod: Pod, groups: Sequence[Group], added: Mapping[str, int]
) -> Group | None:
    allowed = _allowed(fleet, pod)
    zones = {node.zone for node in fleet}
    possible = [
        group
        for group in groups
        if group.count + added.get(group.zone, 0) < group.most
        and group.size.holds(pod.size)
        # A zone without nodes does not count for the spread, until it has one.
        and (allowed is None or group.zone in allowed or group.zone not in zones)
    ]
    return min(possible, key=lambda group: group.count + added.get(group.zone, 0), default=None)


def _allowed(nodes: Iterable[Node], pod: Pod) -> set[str] | None:
    """Zones that the pod's spread leaves it; None where it has no spread."""
    if not pod.spread:
        return None
    counts: dict[str, int] = {}
    for node in nodes:
        same = sum(other.spread == pod.spread for other in node.pods)
        counts[node.zone] = counts.get(node.zone, 0) + same
    fewest = min(counts.values(), default=0)
    return {zone for zone, count in counts.items() if count == fewest}
