"""Profiles → what Deployments lack, as strategic-merge patches.

`replicas` stands in none of them but to be taken out: it belongs to the autoscaler, and an apply
would reset it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tutorplatform.manifests import Manifest

from tutorautoscale.configuration import Cluster
from tutorautoscale.discovery import PROBES, Brought, Container, Deployment
from tutorautoscale.draining import after_requests, after_start
from tutorautoscale.effective import Workload
from tutorautoscale.profile import Probe, Profile, Sidecar
from tutorautoscale.strategic import DIRECTIVE, REPLACE
from tutorautoscale.workers import with_concurrency
from tutorautoscale.workloads import BACKGROUND, SERVING, is_known

LOST_NODE_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")

# Celery reads each of its options from CELERY_<COMMAND>_<OPTION>, too.
CONCURRENCY = "CELERY_WORKER_CONCURRENCY"

# Of a hook or a probe the API server takes one kind; a merge would leave both.
REPLACING = {DIRECTIVE: REPLACE}

# The chart `platform` makes them.
PRIORITY_CLASSES = {SERVING: "openedx-serving", BACKGROUND: "openedx-background"}


def deployment(workload: Workload, cluster: Cluster) -> Manifest:
    """The patch for one Deployment."""
    found, profile = workload.found, workload.profile
    sidecars = [
        {"name": name, "resources": resources(each, _container(workload, name))}
        for name, each in profile.containers.items()
    ]
    pod = {
        "terminationGracePeriodSeconds": profile.grace_s,
        "tolerations": tolerations(found, profile),
        "topologySpreadConstraints": spread(found.selector, profile),
        "affinity": {"podAntiAffinity": apart(found)},
        "containers": [container(found.main, profile, not is_known(found)), *sidecars],
        **_priority(found, profile, cluster),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": found.name},
        "spec": {
            "replicas": None,
            **_strategy(found),
            "template": {"spec": pod},
        },
    }


def _strategy(found: Deployment) -> Manifest:
    # What must not have two pods at a time has said so.
    if found.stateful:
        return {}
    # Never below capacity; room for a quarter more is what an update may need.
    rolling = {"maxUnavailable": 0, "maxSurge": "25%"}
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}


def container(found: Container, profile: Profile, keeps: bool) -> Manifest:
    """What the container lacks: resources, probes, a hook before its end, its processes.

    `keeps`: whether a probe that it brings keeps what no setting of ours is about.
    """
    return {
        "name": found.name,
        "resources": resources(profile, found),
        **probes(found, profile, keeps),
        **_lifecycle(found, profile),
        **_processes(found, profile),
    }


def resources(part: Profile | Sidecar, found: Container) -> dict[str, dict[str, str | None]]:
    """The container's requests, and its limits: `None` takes one away that it brings."""
    each = {"cpu": part.cpu, "memory": part.memory}
    return {
        "requests": {kind: resource.request for kind, resource in each.items()},
        "limits": {
            kind: resource.limit
            for kind, resource in each.items()
            if resource.limit or kind in found.limits
        },
    }


def probes(found: Container, profile: Profile, keeps: bool) -> dict[str, Any]:
    """What changes of the container's probes: `None` takes one away that it brings."""
    asked = {ours: getattr(profile.probes, ours) for ours in PROBES}
    starts = asked["startup"]
    asked["startup"] = starts._replace(failures=math.ceil(profile.start_s / starts.period_s))
    changes = {ours: _change(found.probes.get(ours), probe, keeps) for ours, probe in asked.items()}
    return {PROBES[ours]: change for ours, change in changes.items() if change != {}}


def _change(brought: Brought | None, probe: Probe, keeps: bool) -> Manifest | None:
    if not probe.asks:
        # What it asks in a way that our settings do not know, stays.
        return None if brought and brought.probe.asks else {}
    handler = _handler(probe, brought.handler if brought else "")
    asks = {handler: _asked(probe)}
    if not brought or not keeps or handler != brought.handler:
        # A merge with what is asked in another way would ask in both.
        return {**REPLACING, **asks, **_timing(probe)}
    before = {handler: _asked(brought.probe), **_timing(brought.probe)}
    return _differences(before, {**asks, **_timing(probe)})


def _handler(probe: Probe, before: str) -> str:
    if probe.command:
        return "exec"
    if probe.path:
        return "httpGet"
    return "grpc" if before == "grpc" else "tcpSocket"


def _asked(probe: Probe) -> Manifest:
    if probe.command:
        return {"command": list(probe.command)}
    if not probe.path:
        return {"port": probe.port}
    headers = [{"name": "Host", "value": probe.host}] if probe.host else []
    return {"path": probe.path, "port": probe.port, "httpHeaders": headers}


def _timing(probe: Probe) -> Manifest:
    return {
        "periodSeconds": probe.period_s,
        "timeoutSeconds": probe.timeout_s,
        "failureThreshold": probe.failures,
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Manifest:
    changed = {key: value for key, value in after.items() if value != before[key]}
    return {
        key: _differences(before[key], value) if isinstance(value, Mapping) else value
        for key, value in changed.items()
    }


def tolerations(found: Deployment, profile: Profile) -> list[Manifest]:
    """Those of the pod, and how long a lost node keeps it: Kubernetes' own answer is 300 s.

    Only the eviction is tolerated. With `NoSchedule` tolerated too, a lost zone would still count
    as one to spread over, and its pods could not move.
    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
    """
    kept = (each for each in found.tolerations if each.get("key") not in LOST_NODE_TAINTS)
    ours = (
        {
            "key": taint,
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": profile.lost_node_s,
        }
        for taint in LOST_NODE_TAINTS
    )
    return [*kept, *ours]


def spread(selector: Manifest, profile: Profile) -> list[Manifest]:
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
            # A constraint of the pod for the same would add its labels to these.
            "labelSelector": {**REPLACING, **selector},
        }
        for topology, unsatisfiable in (
            ("topology.kubernetes.io/zone", by_zone),
            ("kubernetes.io/hostname", "ScheduleAnyway"),
        )
    ]


def apart(found: Deployment) -> Manifest:
    """Preferably no two pods on one host; required, an update would need a host for its surge."""
    # A merge would put ours in the place of those that the pod brings.
    return {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            *found.apart,
            {
                "weight": 100,
                "podAffinityTerm": {
                    "topologyKey": "kubernetes.io/hostname",
                    "labelSelector": found.selector,
                },
            },
        ]
    }


def priority_class(profile: Profile, cluster: Cluster) -> str | None:
    """The PriorityClass of the pods; ours only where the cluster has them."""
    if profile.priority in PRIORITY_CLASSES and not cluster.priority_classes:
        return None
    return PRIORITY_CLASSES.get(profile.priority or "", profile.priority)


def priority_classes(workloads: Iterable[Workload], cluster: Cluster) -> dict[str, str]:
    """The PriorityClasses that these use, each with the name of a workload that does."""
    used = ((priority_class(each.profile, cluster), each.found.name) for each in workloads)
    return {name: workload for name, workload in used if name}


def _priority(found: Deployment, profile: Profile, cluster: Cluster) -> Manifest:
    name = priority_class(profile, cluster)
    is_unwanted = found.priority and profile.priority is None
    return {"priorityClassName": name} if name or is_unwanted else {}


def _lifecycle(found: Container, profile: Profile) -> Manifest:
    if profile.drain == "own":
        return {}
    hook = _before_end(found, profile)
    if not hook:
        return {"lifecycle": {"preStop": None}} if found.hook else {}
    return {"lifecycle": {"preStop": {**REPLACING, **hook}}}


def _before_end(found: Container, profile: Profile) -> Manifest:
    if profile.drain == "requests" and found.ports:
        return after_requests(found.ports[0], profile.drain_s)
    if found.is_celery_itself:
        return after_start()
    return {"sleep": {"seconds": profile.drain_s}} if profile.drain_s else {}


def _processes(found: Container, profile: Profile) -> Manifest:
    if not profile.celery.concurrency or not found.is_celery or CONCURRENCY in found.environment:
        return {}
    # Where there are arguments, they end the command line.
    key, words = ("args", found.args) if found.args else ("command", found.command)
    # Behind a shell, the option would be the shell's.
    if words[-1:] == () or " " in words[-1]:
        return {"env": [_variable(profile.celery.concurrency)]}
    return {key: with_concurrency(words, profile.celery.concurrency)}


def _variable(concurrency: int) -> Manifest:
    return {"name": CONCURRENCY, "value": str(concurrency)}


def _container(workload: Workload, name: str) -> Container:
    return next(each for each in workload.found.containers if each.name == name)
