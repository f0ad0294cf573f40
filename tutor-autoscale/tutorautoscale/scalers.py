"""Profiles → HorizontalPodAutoscalers and PodDisruptionBudgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutorplatform.manifests import Manifest

from tutorautoscale.overrides import pods
from tutorautoscale.profile import Profile

# Up at once, to double in 15 s: a new platform process needs a minute before it helps. Down only
# for what was not needed in the last five minutes, and then a fifth per minute.
# https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
UP: tuple[tuple[str, int, int], ...] = (("Percent", 100, 15), ("Pods", 4, 15))
DOWN: tuple[tuple[str, int, int], ...] = (("Percent", 20, 60), ("Pods", 1, 60))


def objects(profiles: Mapping[str, Profile]) -> list[Manifest]:
    """An HPA and a PDB for each workload."""
    return [
        manifest
        for name, profile in profiles.items()
        for manifest in (autoscaler(name, profile), disruption_budget(name))
    ]


def autoscaler(name: str, profile: Profile) -> Manifest:
    """The HorizontalPodAutoscaler of the Deployment of this name."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(name),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": profile.min,
            "maxReplicas": profile.max,
            "metrics": [
                _utilization(name, resource, target)
                for resource, target in (
                    ("cpu", profile.cpu.target),
                    ("memory", profile.memory.target),
                )
                if target is not None
            ],
            "behavior": {"scaleUp": _pace(0, UP), "scaleDown": _pace(300, DOWN)},
        },
    }


def disruption_budget(name: str) -> Manifest:
    """The PodDisruptionBudget of the Deployment of this name: one pod at a time.

    It never blocks a drain for good, not even of a single replica, and pods that are not ready
    may always go: a workload that does not start must not hold a node.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(name),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": pods(name),
        },
    }


def _metadata(name: str) -> dict[str, Any]:
    # The label is what `tutor k8s start <name>` selects by.
    return {"name": name, "labels": {"app.kubernetes.io/name": name}}


def _utilization(container: str, resource: str, target: int) -> Manifest:
    # Of this container alone: a sidecar without requests would blind a metric of the pod.
    return {
        "type": "ContainerResource",
        "containerResource": {
            "name": resource,
            "container": container,
            "target": {"type": "Utilization", "averageUtilization": target},
        },
    }


def _pace(window_s: int, policies: tuple[tuple[str, int, int], ...]) -> Manifest:
    return {
        "stabilizationWindowSeconds": window_s,
        "selectPolicy": "Max",
        "policies": [
            {"type": kind, "value": value, "periodSeconds": period}
            for kind, value, period in policies
        ],
    }
