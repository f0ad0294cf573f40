"""Profiles → HorizontalPodAutoscalers, PodDisruptionBudgets, VerticalPodAutoscalers."""

from __future__ import annotations

from typing import Any

from tutorplatform.manifests import Manifest

from tutorautoscale.discovery import NAME, Deployment
from tutorautoscale.effective import Workload
from tutorautoscale.profile import Profile

# Up at once, to double in 15 s: a new platform process needs a minute before it helps. Down only
# for what was not needed in the last five minutes, and then a fifth per minute.
# https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior
UP: tuple[tuple[str, int, int], ...] = (("Percent", 100, 15), ("Pods", 4, 15))
DOWN: tuple[tuple[str, int, int], ...] = (("Percent", 20, 60), ("Pods", 1, 60))


# How to find what this plugin has made in a namespace.
OWNER = {"app.kubernetes.io/created-by": "tutor-autoscale"}


def autoscaler(workload: Workload) -> Manifest:
    """The HorizontalPodAutoscaler of the Deployment."""
    found, profile = workload.found, workload.profile
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(found),
        "spec": {
            "scaleTargetRef": target(found.name),
            "minReplicas": profile.min,
            "maxReplicas": profile.max,
            "metrics": [
                _utilization(found.main.name, resource, share)
                for resource, share in utilizations(profile)
            ],
            "behavior": BEHAVIOR,
        },
    }


def disruption_budget(workload: Workload) -> Manifest:
    """The PodDisruptionBudget of the Deployment: so many pods at a time.

    It never blocks a drain for good, not even of a single replica, and pods that are not ready
    may always go: a workload that does not start must not hold a node.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(workload.found),
        "spec": {
            "maxUnavailable": workload.profile.disruption,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": workload.found.selector,
        },
    }


def recommender(workload: Workload) -> Manifest:
    """A VerticalPodAutoscaler that changes nothing: it says what to request."""
    return {
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": metadata(workload.found),
        "spec": {
            "targetRef": target(workload.found.name),
            "updatePolicy": {"updateMode": "Off"},
        },
    }


def target(name: str) -> Manifest:
    """A reference to the Deployment of this name."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


def metadata(found: Deployment) -> dict[str, Any]:
    """Of an object for this Deployment, which is applied together with it."""
    return {"name": found.name, "labels": {NAME: found.label, **OWNER}}


def utilizations(profile: Profile) -> list[tuple[str, int]]:
    """The resources to scale for, and at which percentage of the request."""
    each = (("cpu", profile.cpu.target), ("memory", profile.memory.target))
    return [(resource, share) for resource, share in each if share is not None]


def _utilization(container: str, resource: str, share: int) -> Manifest:
    # Of this container alone: a sidecar without requests would blind a metric of the pod.
    return {
        "type": "ContainerResource",
        "containerResource": {
            "name": resource,
            "container": container,
            "target": {"type": "Utilization", "averageUtilization": share},
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


BEHAVIOR = {"scaleUp": _pace(0, UP), "scaleDown": _pace(300, DOWN)}
