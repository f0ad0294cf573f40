"""Edge: objects of the API server, and lightkube's reading of quantities, for `nodegroups`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lightkube.utils.quantity import parse_quantity

from localcluster.model import ZONE_LABEL, Manifest
from localcluster.nodegroups import Node, Pod, Size

STAYS_ANNOTATION = "cluster-autoscaler.kubernetes.io/safe-to-evict"


def size(resources: Mapping[str, str]) -> Size:
    """Kubernetes quantities, of a pod's requests or of a node, as numbers."""
    cpu = parse_quantity(resources.get("cpu", "0")) or 0
    memory = parse_quantity(resources.get("memory", "0")) or 0
    return Size(round(cpu * 1000), int(memory), int(resources.get("pods", 1)))


def ends(pod: Manifest) -> bool:
    """Whether the pod is being deleted, or has run to its end."""
    phase = pod.get("status", {}).get("phase")
    return "deletionTimestamp" in pod["metadata"] or phase in ("Failed", "Succeeded")


def requested(pod: Manifest) -> Size:
    """What the pod's containers request in all; init containers, which run before, are left out."""
    containers = pod["spec"]["containers"]
    sizes = [size(each.get("resources", {}).get("requests", {})) for each in containers]
    return Size(sum(each.millicores for each in sizes), sum(each.memory_bytes for each in sizes))


def without_room(pods: Iterable[Manifest]) -> list[Pod]:
    """The pods that the scheduler has found no node for, and makes no room for either."""
    return [_pod(pod) for pod in pods if _waits(pod) and not _place(pod)]


def usable(nodes: Iterable[Manifest], pods: Sequence[Manifest]) -> list[Node]:
    """The nodes that take pods, with those that are there or that room is being made for."""
    by_node: dict[str, list[Pod]] = {}
    for pod in pods:
        if _place(pod) and not ends(pod):
            by_node.setdefault(_place(pod), []).append(_pod(pod))
    return [
        Node.empty(
            node["metadata"]["name"],
            node["metadata"]["labels"][ZONE_LABEL],
            size(node["status"]["allocatable"]),
        ).with_pods(*by_node.get(node["metadata"]["name"], []))
        for node in nodes
        # One that is lost, new or about to go has a taint.
        if not node["spec"].get("taints")
    ]


def _pod(pod: Manifest) -> Pod:
    metadata, spec = pod["metadata"], pod["spec"]
    owners = metadata.get("ownerReferences", [])
    by_zone = any(
        each["topologyKey"] == ZONE_LABEL and each["whenUnsatisfiable"] == "DoNotSchedule"
        for each in spec.get("topologySpreadConstraints", [])
    )
    return Pod(
        metadata["namespace"],
        metadata["name"],
        requested(pod),
        spec.get("priority", 0),
        # The pods of one ReplicaSet are those that the spread compares.
        owners[0]["uid"] if by_zone and owners else "",
        stays=metadata.get("annotations", {}).get(STAYS_ANNOTATION) == "false" or not owners,
    )


def _waits(pod: Manifest) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return not ends(pod) and any(
        each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable"
        for each in conditions
    )


def _place(pod: Manifest) -> str:
    nominated = pod.get("status", {}).get("nominatedNodeName", "")
    return str(pod["spec"].get("nodeName", "") or nominated)
