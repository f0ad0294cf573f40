"""Which pods are there for users. Pure: pods and living nodes in, answers out."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from localcluster.model import Manifest


def is_ready(pod: Manifest, living_nodes: Collection[str]) -> bool:
    """Whether the pod can serve: ready, not being deleted, and on a node that is alive.

    The control plane believes a lost node's pods to be ready until its grace is over;
    users know better.
    """
    if "deletionTimestamp" in pod["metadata"]:
        return False
    if pod["spec"].get("nodeName") not in living_nodes:
        return False
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def ready(pods: Iterable[Manifest], living_nodes: Collection[str]) -> list[Manifest]:
    """The pods that can serve."""
    return [pod for pod in pods if is_ready(pod, living_nodes)]
