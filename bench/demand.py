"""What a rendered instance asks of a cluster: workloads, their bounds and requests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcluster.model import ZONE_LABEL, NodeShape
from localcluster.nodegroups import Pod, Size
from tutorplatform import manifests, quantity
from tutorplatform.manifests import Manifest


@dataclass(frozen=True)
class Workload:
    """A Deployment: `least` to `most` pods of one size; `scaler` is empty where it has none.

    `spread`: whether pods wait rather than leave the zones out of balance.
    """

    name: str
    least: int
    most: int
    size: Size
    spread: bool
    priority: int
    scaler: Mapping[str, Any]

    def pod(self, namespace: str, number: int) -> Pod:
        """One of its pods in an instance's namespace."""
        spread = f"{namespace}/{self.name}" if self.spread else ""
        name = f"{self.name}-{number}"
        return Pod(namespace, name, self.size, self.priority, spread)

    def pods(self, namespace: str, count: int) -> list[Pod]:
        """As many of its pods."""
        return [self.pod(namespace, number) for number in range(count)]


def workloads(rendered: Sequence[Manifest], priorities: Mapping[str, int]) -> list[Workload]:
    """The workloads among rendered objects; `priorities` are those of the cluster's classes."""
    scalers = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]
        for scaler in manifests.of_kind(rendered, "HorizontalPodAutoscaler")
    }
    return [
        _workload(deployment, scalers.get(manifests.name(deployment), {}), priorities)
        for deployment in manifests.of_kind(rendered, "Deployment")
    ]


def idle(found: Iterable[Workload]) -> Size:
    """What all pods request that are there without any load."""
    return total(pod.size for each in found for pod in each.pods("", each.least))


def total(sizes: Iterable[Size]) -> Size:
    """The sum."""
    listed = list(sizes)
    return Size(
        sum(each.millicores for each in listed),
        sum(each.memory_bytes for each in listed),
        sum(each.pods for each in listed),
    )


def allocatable(shape: NodeShape, reserved: Size) -> Size:
    """What a node has for pods of instances, besides those that run on every node."""
    resources = shape.allocatable
    return _size(resources, int(resources["pods"])) - reserved


def surge_room(chart_values: Mapping[str, Any]) -> list[Pod]:
    """The pods that hold room, as the platform chart makes them with these values."""
    values = chart_values["overprovisioning"]
    count = values["replicas"] if values["enabled"] else 0
    size = _size(values)
    return [
        Pod("platform", f"pause-{number}", size, values["priority"], "platform/pause")
        for number in range(count)
    ]


def _workload(
    deployment: Manifest, scaler: Mapping[str, Any], priorities: Mapping[str, int]
) -> Workload:
    spec = deployment["spec"]
    pod = spec["template"]["spec"]
    # Tutor leaves `replicas` out, of which Kubernetes makes one.
    fixed = spec.get("replicas") or 1
    requests = [(each.get("resources") or {}).get("requests", {}) for each in pod["containers"]]
    summed = total(_size(each) for each in requests)
    return Workload(
        manifests.name(deployment),
        scaler.get("minReplicas", fixed),
        scaler.get("maxReplicas", fixed),
        Size(summed.millicores, summed.memory_bytes),
        any(
            each["topologyKey"] == ZONE_LABEL and each["whenUnsatisfiable"] == "DoNotSchedule"
            for each in pod.get("topologySpreadConstraints", [])
        ),
        priorities.get(pod.get("priorityClassName", ""), 0),
        scaler,
    )


def _size(resources: Mapping[str, Any], pods: int = 1) -> Size:
    cpu, memory = resources.get("cpu"), resources.get("memory")
    return Size(
        quantity.cpu_millicores(cpu, "cpu") if cpu else 0,
        quantity.memory_bytes(memory, "memory") if memory else 0,
        pods,
    )
