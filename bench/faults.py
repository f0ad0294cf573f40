"""Edge: the faults. Each is done once, to all variants at the same moment."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from localcluster.model import Manifest

from bench.arena import Arena
from bench.outcomes import Outcome, blocked, one_per_zone, outcome

# Tutor alone keeps pods on a lost node for 50 + 300 s and more, and then they have to start.
WATCH_TIMEOUT_S = 480

# A budget is given time to learn of the pods that have come and gone.
LOOK_S = 3
LOOKS = 4

# Time for six pods of one workload on a node to go one by one, each replaced before the next.
DRAIN_TIMEOUT_S = 300


@dataclass(frozen=True)
class Fault:
    """Something bad by name. `mend` undoes it; `over` as in `demo.observe.watch`.

    `counts` gives fields of a variant's Outcome that samples do not show, by its name.
    `local`: it happens in some place, and who has no LMS pods there is not hit.
    `timeout_s`: for how long it is watched at most.
    """

    name: str
    inject: Callable[[], None]
    mend: Callable[[], None] = lambda: None
    over: Callable[[], bool] | None = None
    counts: Callable[[str], Mapping[str, int]] = lambda variant: {}
    local: bool = False
    timeout_s: float = WATCH_TIMEOUT_S


def suffer(arena: Arena, fault: Fault) -> list[Outcome]:
    """What the fault does to each variant that it hits.

    Before and afterwards everything is mended and at full strength.
    """
    arena.wait_until_whole(f"before {fault.name}")
    try:
        fault.inject()
        samples = arena.watch(fault.over, fault.timeout_s)
    finally:
        fault.mend()
    found = [
        outcome(fault.name, variant, samples, **fault.counts(variant.name))
        for variant in arena.variants
    ]
    arena.wait_until_whole(f"after {fault.name}")
    return [each for each in found if not fault.local or each.least_percent < 100]


def pod(arena: Arena) -> Fault:
    """One LMS pod of each variant is gone at once."""

    def inject() -> None:
        for variant, pods in arena.lms_pods().items():
            name = pods[0]["metadata"]["name"]
            argv = ("delete", "pod", name, f"--namespace={variant}")
            arena.view.cluster.kubectl(*argv, "--grace-period=0", "--force", "--wait=false")

    return Fault("pod", inject)


def node(arena: Arena) -> Fault:
    """Every variant loses one node with LMS pods of its own, as far as that can be."""
    lost = Silence(arena)
    return Fault("node", lost.begin, lost.end, local=True)


def blip(arena: Arena, seconds: int) -> Fault:
    """The same nodes say nothing for some seconds, and then are back."""
    silence = Silence(arena, seconds)
    return Fault(
        f"blip {seconds} s",
        silence.begin,
        silence.end,
        silence.over,
        silence.counts,
        local=True,
    )


@dataclass
class Silence:
    """Nodes that say nothing, for `seconds` of them unless it is ended before.

    It is past some time after its end, as pods that have to move may only begin to.
    """

    arena: Arena
    seconds: int = 0
    aftermath_s: int = 30
    nodes: tuple[str, ...] = ()
    lost: list[str] = field(default_factory=list)
    began: float = 0
    before: Mapping[str, set[str]] = field(default_factory=dict)

    def begin(self) -> None:
        nodes = self.arena.view.cluster.nodes
        pods = self.arena.lms_pods()
        on = {variant: [each["spec"]["nodeName"] for each in of] for variant, of in pods.items()}
        self.nodes = one_per_zone(on, nodes.zone_of)
        self.before = self.arena.pods_on(self.nodes)
        self.arena.console.print(f"  nodes: {', '.join(self.nodes)}", highlight=False)
        for name in self.nodes:
            nodes.kill_node(name)
            self.lost.append(name)
        self.began = time.monotonic()

    def over(self) -> bool:
        passed = time.monotonic() - self.began
        if passed >= self.seconds:
            self.end()
        return passed >= self.seconds + self.aftermath_s

    def end(self) -> None:
        while self.lost:
            self.arena.view.cluster.nodes.heal_node(self.lost.pop())

    def counts(self, variant: str) -> Mapping[str, int]:
        there = self.before[variant]
        moved = there - self.arena.pods_on(self.nodes)[variant]
        return {"moved": len(moved), "there": len(there)}


def zone(arena: Arena, name: str) -> Fault:
    """A zone is lost with all its nodes."""
    nodes = arena.view.cluster.nodes
    return Fault(
        f"zone {name[-1]}",
        lambda: nodes.kill_zone(name),
        lambda: nodes.heal_zone(name),
        # Whom it hits is hit at once.
        over=lambda: True,
        local=True,
    )


def rolling_update(arena: Arena) -> Fault:
    """Every LMS gets a new template at the same moment."""

    def inject() -> None:
        for variant in arena.variants:
            argv = ("rollout", "restart", "deployment/lms", f"--namespace={variant.name}")
            arena.view.cluster.kubectl(*argv)

    return Fault("rolling update", inject, over=arena.rolled_out)


def drain(arena: Arena) -> Fault:
    """All nodes are drained one after the other, of each variant's pods apart."""
    drains = Drains(arena)
    most_s = DRAIN_TIMEOUT_S * len(arena.view.cluster.shape.all_nodes())
    return Fault("drain", drains.begin, drains.end, drains.over, drains.counts, timeout_s=most_s)


@dataclass
class Drains:
    """`kubectl drain` of one node after the other, one process per variant.

    A variant's is refused when a disruption budget of its own allows nothing though nothing is
    missing, which will not change by waiting, and when it does not end in DRAIN_TIMEOUT_S.
    """

    arena: Arena
    left: list[str] = field(default_factory=list)
    node: str = ""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    looks: list[set[str]] = field(default_factory=list)
    looked: float = 0

    def begin(self) -> None:
        self.left = self.arena.view.cluster.shape.all_nodes()
        self.refused = {variant.name: 0 for variant in self.arena.variants}
        self._next()

    def over(self) -> bool:
        """Take the next step, if it is time for one; whether that was the last."""
        for variant, process in list(self.running.items()):
            if process.poll() is not None:
                self._count(variant, refused=process.returncode != 0)
        if self.running and time.monotonic() - self.looked > LOOK_S:
            self._look()
        if not self.running and self.node:
            self._uncordon()
            self._next()
        return not self.node

    def end(self) -> None:
        for variant in list(self.running):
            self._count(variant, refused=True)
        if self.node:
            self._uncordon()

    def counts(self, variant: str) -> Mapping[str, int]:
        return {"refused": self.refused[variant]}

    def _next(self) -> None:
        if not self.left:
            return
        self.node = self.left.pop(0)
        self.arena.console.print(f"  drain {self.node}", highlight=False)
        self.looks, self.looked = [], time.monotonic()
        self.running = {each.name: self._drain(each.instance) for each in self.arena.variants}

    def _drain(self, instance: str) -> subprocess.Popen[bytes]:
        selector = f"--pod-selector=app.kubernetes.io/instance={instance}"
        return subprocess.Popen(
            [
                *("kubectl", "drain", self.node, selector, f"--timeout={DRAIN_TIMEOUT_S}s"),
                *("--ignore-daemonsets", "--delete-emptydir-data"),
            ],
            env=self.arena.view.cluster.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _look(self) -> None:
        budgets: Sequence[Manifest] = self.arena.view.get("pdb", "--all-namespaces")
        self.looked = time.monotonic()
        self.looks = [*self.looks, blocked(budgets)][-LOOKS:]
        if len(self.looks) == LOOKS:
            for variant in set.intersection(*self.looks) & set(self.running):
                self._count(variant, refused=True)

    def _count(self, variant: str, refused: bool) -> None:
        process = self.running.pop(variant)
        process.kill()
        process.wait()
        self.refused[variant] += refused

    def _uncordon(self) -> None:
        self.arena.view.cluster.kubectl("uncordon", self.node)
        self.node = ""
