"""Edge: a simulator of EC2 Auto Scaling groups and of the cluster autoscaler that steers them.

It is neither of the two: the real autoscaler does not build from the package registries. What it
does is what counts for pods and for the bill: it sees pods that the scheduler finds no room for,
has nodes join after a delay, and takes away those that are little used, through the eviction API
and its disruption budgets. Pods, scheduler, budgets and nodes' objects are the cluster's own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import httpx2
from lightkube import ApiError, Client
from lightkube.models.core_v1 import Taint
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Node as ApiNode
from lightkube.resources.core_v1 import Pod as ApiPod
from lightkube.resources.core_v1 import PodEviction
from lightkube.types import PatchType

from localcluster import nodegroups, sizing
from localcluster.kubelets import Kubelets
from localcluster.model import ClusterShape, Manifest
from localcluster.nodegroups import Group, Node, Span

# What the cluster autoscaler marks a node with that is to go, so that no pod comes to it.
LEAVING = Taint(effect="NoSchedule", key="ToBeDeletedByClusterAutoscaler", value="now")

# How long a node may take from joining to being ready.
JOINING_S = 5

TOO_MANY_REQUESTS = 429
GONE = 404


@dataclass(frozen=True)
class Pace:
    """Seconds; the cluster autoscaler's defaults, and what a node takes to start on EC2."""

    node_s: float = 75
    unneeded_s: float = 600
    scan_s: float = 10
    # How long evictions may be refused before the node is left alone.
    evict_s: float = 120

    def times(self, factor: float) -> Pace:
        """The same, so many times as fast; evictions may take as long as ever."""
        return Pace(self.node_s / factor, self.unneeded_s / factor, self.scan_s / factor)


@dataclass(frozen=True)
class Bounds:
    """Least and most nodes of each zone's group."""

    least: int = 1
    most: int = 40


@dataclass
class NodeScaler:
    """Groups of nodes, one per zone, in a thread from `start` to `stop`. A context manager.

    `spans` tells of every node since the start; its clock is `time.monotonic`.
    """

    client: Client
    kubelets: Kubelets
    shape: ClusterShape
    pace: Pace = Pace()
    bounds: Bounds = Bounds()
    spans: dict[str, Span] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _leaving: dict[str, float] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> NodeScaler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        now = time.monotonic()
        for name in self.kubelets.living_nodes():
            self.spans[name] = Span(name, self.kubelets.zone_of(name), now, now)
        self._thread = threading.Thread(target=self._run, name="node-scaler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread:
            self._thread.join()

    @property
    def nodes(self) -> int:
        """How many nodes are paid for now."""
        return sum(span.gone_s is None for span in list(self.spans.values()))

    @property
    def coming(self) -> int:
        """How many of them have not joined yet."""
        return len(self._coming(time.monotonic()))

    def node_seconds(self, from_s: float, until_s: float) -> float:
        """What was paid for within a time of `time.monotonic`."""
        return nodegroups.node_seconds(list(self.spans.values()), from_s, until_s)

    def _run(self) -> None:
        turns = ((self._join, 0.2), (self._drain, 0.5), (self._decide, self.pace.scan_s))
        due = {turn: 0.0 for turn, _ in turns}
        while not self._stopping.wait(0.1):
            for turn, interval_s in turns:
                if time.monotonic() >= due[turn]:
                    due[turn] = time.monotonic() + interval_s
                    self._patiently(turn)

    def _patiently(self, turn: Callable[[], None]) -> None:
        try:
            turn()
        except (ApiError, httpx2.HTTPError):
            # Somebody else was faster, or the API server is on its way down: next time.
            return

    def _coming(self, now: float) -> list[Span]:
        return [span for span in list(self.spans.values()) if span.joined_s > now]

    def _join(self) -> None:
        there = self.kubelets.living_nodes()
        now = time.monotonic()
        for span in list(self.spans.values()):
            if span.gone_s is None and span.joined_s <= now and span.node not in there:
                self.kubelets.add(span.node, span.zone)

    def _decide(self) -> None:
        now = time.monotonic()
        pods = [pod.to_dict() for pod in self.client.list(ApiPod, namespace="*")]
        nodes = sizing.usable((node.to_dict() for node in self.client.list(ApiNode)), pods)
        there = {node.name: node for node in nodes}
        fleet = [*nodes, *self._expected(there, now)]
        pending = sizing.without_room(pods)
        if pending:
            for zone in nodegroups.missing(fleet, pending, self._groups()):
                self._ask(zone, now)
            return
        spared = [name for name in nodegroups.spare(fleet, self._groups()) if name in there]
        self._since = nodegroups.unneeded_since(self._since, spared, now)
        self._dismiss(there, now)

    def _expected(self, there: Collection[str], now: float) -> list[Node]:
        # Joined a moment ago, a node still has the taints of one that is not ready.
        return [
            Node.empty(span.node, span.zone, self._size)
            for span in list(self.spans.values())
            if span.gone_s is None and span.joined_s > now - JOINING_S and span.node not in there
        ]

    def _dismiss(self, nodes: Mapping[str, Node], now: float) -> None:
        spans = list(self.spans.values())
        # As with `scale-down-delay-type-local`: a group that grew a moment ago does not shrink.
        grown = {span.zone for span in spans if now - span.asked_s < self.pace.unneeded_s}
        for name, since in self._since.items():
            # Empty nodes all at once, others one after the other, as the autoscaler does.
            free = not nodes[name].pods or not self._leaving
            waited = now - since >= self.pace.unneeded_s and nodes[name].zone not in grown
            if waited and free:
                self._mark(name, [LEAVING])
                self._leaving[name] = now

    def _drain(self) -> None:
        for name, began in list(self._leaving.items()):
            there = self.client.list(ApiPod, namespace="*", fields={"spec.nodeName": name})
            pods = [pod.to_dict() for pod in there]
            if not pods:
                self.kubelets.remove(name)
                self.spans[name] = replace(self.spans[name], gone_s=time.monotonic())
                del self._leaving[name]
            elif time.monotonic() - began > self.pace.evict_s:
                self._mark(name, [])
                del self._leaving[name]
            else:
                self._evict([pod for pod in pods if not sizing.ends(pod)])

    def _evict(self, pods: Sequence[Manifest]) -> None:
        for pod in pods:
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            eviction = PodEviction(metadata=ObjectMeta(name=name, namespace=namespace))
            try:
                self.client.create(eviction, name, namespace=namespace)
            except ApiError as error:
                # A budget refuses; the next turn asks again.
                if error.status.code not in (TOO_MANY_REQUESTS, GONE):
                    raise

    def _ask(self, zone: str, now: float) -> None:
        # A name is never used twice: those of nodes that are gone stay in `spans`.
        number = sum(span.zone == zone for span in self.spans.values())
        name = self.shape.node_name(zone, number)
        self.spans[name] = Span(name, zone, now, now + self.pace.node_s)

    def _groups(self) -> list[Group]:
        living = [span.zone for span in self.spans.values() if span.gone_s is None]
        return [
            Group(zone, self._size, living.count(zone), self.bounds.least, self.bounds.most)
            for zone in self.shape.zones
        ]

    @property
    def _size(self) -> nodegroups.Size:
        return sizing.size(self.shape.node.allocatable)

    def _mark(self, node: str, taints: list[Taint]) -> None:
        spec = {"spec": {"taints": [taint.to_dict() for taint in taints]}}
        self.client.patch(ApiNode, node, spec, patch_type=PatchType.MERGE)
