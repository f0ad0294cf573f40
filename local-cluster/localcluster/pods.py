"""Which pods are there for users. Pure: pods and living nodes in, answers out."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lightkube.resources.core_v1 import Pod


def is_ready(pod: Pod, living_nodes: Collection[str]) -> bool:
    """Whether the pod can serve: ready, not being deleted, and on a node that is alive.

    The control plane believes a lost node's pods to be ready until its grace is over;
    users know better.
    """
    if pod.metadata is None or pod.metadata.deletionTimestamp is not None:
        return False
    if pod.spec is None or pod.spec.nodeName not in living_nodes or pod.status is None:
        return False
    return any(
        condition.type == "Ready" and condition.status == "True"
        for condition in pod.status.conditions or []
    )


def ready(pods: Iterable[Pod], living_nodes: Collection[str]) -> list[Pod]:
    """The pods that can serve."""
    return [pod for pod in pods if is_ready(pod, living_nodes)]
