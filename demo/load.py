"""Load on one workload: a total that its ready pods share, as requests behind a balancer are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localcluster.model import Manifest
from tutorplatform import quantity


@dataclass(frozen=True)
class Load:
    """Total use of a workload."""

    millicores: int
    memory_mib: int

    def share(self, pods: int) -> tuple[str, str]:
        """(cpu, memory) of one of `pods` pods, as Kubernetes quantities."""
        return f"{self.millicores // max(1, pods)}m", f"{self.memory_mib // max(1, pods)}Mi"


def load_for(pods: int, deployment: Manifest, autoscaler: Manifest) -> Load:
    """The load that this autoscaler answers with `pods` pods of this deployment.

    Its cpu target is a percentage of what the pods request.
    """
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    requests = container["resources"]["requests"]
    [target] = [
        metric["containerResource"]["target"]["averageUtilization"]
        for metric in autoscaler["spec"]["metrics"]
        if metric["containerResource"]["name"] == "cpu"
    ]
    # Half a pod short of the next one, well beyond the controller's tolerance of 10 %.
    busy = (pods - 0.5) * target / 100
    millicores = busy * quantity.cpu_millicores(requests["cpu"], "cpu")
    memory_mib = quantity.memory_bytes(requests["memory"], "memory") / 2**20
    return Load(round(millicores), round(memory_mib / 2 * pods))


def spread(
    load: Load, pods: Sequence[Manifest], set_load: Callable[[str, str, str, str], None]
) -> None:
    """Give each pod its share; `set_load` takes (namespace, pod, cpu, memory)."""
    cpu, memory = load.share(len(pods))
    for pod in pods:
        set_load(pod["metadata"]["namespace"], pod["metadata"]["name"], cpu, memory)
