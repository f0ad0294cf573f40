"""Profiles → what Tutor's Deployments lack, as strategic-merge patches.

`replicas` stands in none of them: it belongs to the HPA, and an apply would reset it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tutorplatform.manifests import Manifest

from tutorautoscale.profile import Cpu, Memory, Profile

STARTUP_PERIOD_S = 5

# A pod leaves the Service after 15 s without an answer, and is started anew after a minute. The
# first request to a platform process loads its URLs, which takes seconds.
TIMING: Mapping[str, Mapping[str, int]] = {
    "startupProbe": {"periodSeconds": STARTUP_PERIOD_S, "timeoutSeconds": 10},
    "readinessProbe": {"periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 3},
    "livenessProbe": {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
}

LOST_NODE_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def deployments(profiles: Mapping[str, Profile]) -> list[Manifest]:
    """One patch per workload, for the Deployment of its name."""
    return [deployment(name, profile) for name, profile in profiles.items()]


def deployment(name: str, profile: Profile) -> Manifest:
    """The patch for one Deployment; its container has the same name."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            # Never below capacity; room for a quarter more is what an update may need.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"},
            },
            "template": {
                "spec": {
                    "terminationGracePeriodSeconds": profile.grace_s,
                    "tolerations": tolerations(profile),
                    "topologySpreadConstraints": spread(name, profile),
                    "affinity": {"podAntiAffinity": apart(name)},
                    "containers": [container(name, profile)],
                }
            },
        },
    }


def container(name: str, profile: Profile) -> Manifest:
    """What the container lacks: resources, probes, a hook before its end, its environment."""
    return {
        "name": name,
        "resources": resources(profile),
        **probes(profile),
        **_lifecycle(profile),
        **_environment(profile),
    }


def resources(profile: Profile) -> dict[str, dict[str, str]]:
    """The container's requests, and the limits that are set."""
    each: dict[str, Cpu | Memory] = {"cpu": profile.cpu, "memory": profile.memory}
    requests = {kind: resource.request for kind, resource in each.items()}
    limits = {kind: resource.limit for kind, resource in each.items() if resource.limit}
    return {"requests": requests, "limits": limits}


def probes(profile: Profile) -> dict[str, Any]:
    """The container's probes with their timing."""
    timed = {kind: {**probe, **TIMING[kind]} for kind, probe in profile.probes.items()}
    if "startupProbe" in timed:
        timed["startupProbe"]["failureThreshold"] = math.ceil(profile.start_s / STARTUP_PERIOD_S)
    return timed


def tolerations(profile: Profile) -> list[Manifest]:
    """How long a lost node keeps the pod: Kubernetes' own answer is 300 s.

    Only the eviction is tolerated. With `NoSchedule` tolerated too, a lost zone would still count
    as one to spread over, and its pods could not move.
    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    return [
        {
            "key": taint,
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": profile.lost_node_s,
        }
        for taint in LOST_NODE_TAINTS
    ]


def spread(name: str, profile: Profile) -> list[Manifest]:
    """Evenly over the zones that have usable nodes, and over hosts as far as they go.

    Pods of different revisions count apart, so that an update ends as evenly as it began.
    https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
    """
    by_zone = "DoNotSchedule" if profile.zones == "required" else "ScheduleAnyway"
    return [
        {
            "topologyKey": topology,
            "maxSkew": 1,
            "whenUnsatisfiable": unsatisfiable,
            "nodeTaintsPolicy": "Honor",
            "matchLabelKeys": ["pod-template-hash"],
            "labelSelector": pods(name),
        }
        for topology, unsatisfiable in (
            ("topology.kubernetes.io/zone", by_zone),
            ("kubernetes.io/hostname", "ScheduleAnyway"),
        )
    ]


def apart(name: str) -> Manifest:
    """Preferably no two pods on one host; required, an update would need a host for its surge."""
    return {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "podAffinityTerm": {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": pods(name),
                },
            }
        ]
    }


def pods(name: str) -> Manifest:
    """A selector of the Deployment's pods; kustomize adds the labels of the instance."""
    return {"matchLabels": {"app.kubernetes.io/name": name}}


def _lifecycle(profile: Profile) -> Manifest:
    if not profile.drain_s:
        return {}
    return {"lifecycle": {"preStop": {"sleep": {"seconds": profile.drain_s}}}}


def _environment(profile: Profile) -> Manifest:
    if not profile.celery:
        return {}
    # Celery reads each of its options from CELERY_<COMMAND>_<OPTION> where its command line has
    # none. Unset, it starts as many processes as the *node* has CPUs.
    concurrency = str(profile.celery.concurrency)
    return {"env": [{"name": "CELERY_WORKER_CONCURRENCY", "value": concurrency}]}
