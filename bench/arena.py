"""Edge: the variants side by side on one cluster, and what is seen of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from localcluster.binaries import Progress, cache_directory
from localcluster.errors import LocalClusterError
from localcluster.model import Manifest
from localservices.environments import python_with
from rich.console import Console

from bench.outcomes import rolled_out
from bench.variants import COMPARED, Variant
from demo import chart, observe
from demo.observe import NAME_LABEL, Sample, Service
from demo.tutor import TUTOR, TutorRoot
from demo.view import View
from demo.waiting import QUIET_S, until

READY_TIMEOUT_S = 300

OFFICIAL = ("mfe",)


@dataclass(frozen=True)
class Arena:
    """Variants that run on the cluster of `view`."""

    view: View
    variants: Sequence[Variant]
    console: Console

    @property
    def wanted(self) -> dict[Service, int]:
        """The LMS of each variant, and how many pods it should have."""
        return {variant.lms: variant.pods for variant in self.variants}

    def deploy(self, folder: Path) -> None:
        """Render and start all variants, each from a Tutor root in `folder`; wait until whole."""
        foreign = [variant for variant in self.variants if not variant.ours]
        others = tutor_with_compared(self.console.print) if foreign else TUTOR
        for variant in self.variants:
            program = TUTOR if variant.ours else others
            root = TutorRoot(folder / variant.name, self.view.cluster.environment, program)
            root.write_config(variant.configuration, [*OFFICIAL, *variant.plugins])
            root.run("config", "save")
            root.run("k8s", "start")
            self.console.print(f"{variant.name}: started")
        self.wait_until_whole("pods are starting")

    def remove(self) -> None:
        """Delete the namespaces of all variants, without waiting."""
        names = [variant.name for variant in self.variants]
        self.view.cluster.kubectl("delete", "namespace", "--wait=false", *names)

    def wait_until_whole(self, why: str) -> None:
        """Wait until every variant runs at full strength and as it was last told to.

        LocalClusterError if one does not get there: the next fault would not be fair.
        """
        whole = until(
            self.console,
            lambda: observe.is_full(self.view.ready(), self.wanted) and self.rolled_out(),
            lambda: f"{why}: {self.lacking()}",
            READY_TIMEOUT_S,
        )
        if not whole:
            problem = f"not at full strength within {READY_TIMEOUT_S} s ({self.lacking()})"
            raise LocalClusterError("bench-resilience", problem, "run it again, on an idle machine")

    def lacking(self) -> str:
        """The services that lack pods, on one line."""
        return chart.lacking(self.view.ready(), self.wanted)

    def watch(self, over: Callable[[], bool] | None, timeout_s: float) -> list[Sample]:
        """Samples of each LMS from now until all are whole again and the fault is `over`."""
        said = time.monotonic()

        def show(samples: Sequence[Sample]) -> None:
            nonlocal said
            if time.monotonic() - said > QUIET_S:
                said = time.monotonic()
                self.console.print(f"  {chart.line(samples[-1], self.wanted)}", highlight=False)

        return observe.watch(self.view.ready, self.wanted, show, timeout_s, over=over)

    def rolled_out(self) -> bool:
        """Whether every LMS runs nothing but pods of its newest template."""
        found = self.view.get("deployments", "--all-namespaces", f"--selector={NAME_LABEL}=lms")
        mine = {service.namespace for service in self.wanted}
        return all(rolled_out(each) for each in found if each["metadata"]["namespace"] in mine)

    def lms_pods(self) -> dict[str, list[Manifest]]:
        """Variant → its ready LMS pods, in the order of their names."""
        pods = sorted(self.view.ready_pods(), key=lambda pod: str(pod["metadata"]["name"]))
        return {
            variant.name: [pod for pod in pods if observe.service_of(pod) == variant.lms]
            for variant in self.variants
        }

    def pods_on(self, nodes: Sequence[str]) -> Mapping[str, set[str]]:
        """Variant → the uids of its pods on these nodes that nobody has begun to delete."""
        pods = self.view.get("pods", "--all-namespaces")
        return {
            variant.name: {
                pod["metadata"]["uid"]
                for pod in pods
                if pod["metadata"]["namespace"] == variant.name
                and pod["spec"].get("nodeName") in nodes
                and "deletionTimestamp" not in pod["metadata"]
            }
            for variant in self.variants
        }


def tutor_with_compared(progress: Progress) -> str:
    """Tutor's program in an environment that has the other plugins; made first if need be.

    Its Tutor and plugin mfe are at our own environment's versions.
    """
    same = [f"{name}=={version(name)}" for name in ("tutor", "tutor-mfe")]
    requirements = [*COMPARED, *same]
    python = python_with(requirements, cache_directory(), "the plugins to compare with", progress)
    return str(python.with_name("tutor"))
