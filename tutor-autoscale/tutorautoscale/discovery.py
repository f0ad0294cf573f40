"""Rendered manifests → the Deployments that an instance has, and which of them can have two pods.

So a workload that nobody has told this plugin about, of any plugin, runs on two nodes as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from tutorautoscale.profile import Probe
from tutorautoscale.selectors import selects

# What `tutor k8s start <name>` selects by.
NAME = "app.kubernetes.io/name"
HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
PROBES = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}


class Brought(NamedTuple):
    """A probe that a container brings. `handler`: in which way it asks, as Kubernetes calls it.

    `probe` is what our settings can say of it; there may be more, as a scheme.
    """

    probe: Probe
    handler: str


class Container(NamedTuple):
    """A container of a Deployment. `probes`: those that it brings, by our names of them.

    `hook`: whether it brings something to do before its end.
    """

    name: str
    ports: tuple[int, ...]
    command: tuple[str, ...]
    args: tuple[str, ...]
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    probes: Mapping[str, Brought]
    hook: bool
    environment: frozenset[str]

    @property
    def is_celery(self) -> bool:
        """Whether it runs a Celery worker."""
        return {"celery", "worker"} <= self.words

    @property
    def is_celery_itself(self) -> bool:
        """Whether the worker is the container's first process, and no shell or launcher is."""
        first = next(iter((*self.command, *self.args)), "")
        return self.is_celery and first.rpartition("/")[2] == "celery"

    @property
    def words(self) -> set[str]:
        """The words of its command line, also of one that is for a shell, without folders."""
        words = " ".join((*self.command, *self.args)).replace(";", " ").split()
        return {word.rpartition("/")[2] for word in words}


class Deployment(NamedTuple):
    """A Deployment. `stateful` says why it has one pod, or is empty.

    `selector` is for its pods, which have `labels`; `label`: what `tutor k8s start` calls it.
    `off`: whether it is to have no pods. `tolerations`, `apart` (preferred terms of anti-affinity),
    `grace_s` and `priority` (a PriorityClass): what its pods bring.
    """

    name: str
    selector: Manifest
    labels: Mapping[str, str]
    label: str
    containers: tuple[Container, ...]
    stateful: str = ""
    off: bool = False
    tolerations: tuple[Manifest, ...] = ()
    apart: tuple[Manifest, ...] = ()
    grace_s: int = 0
    priority: str | None = None

    @property
    def main(self) -> Container:
        """The container that the Deployment is named after, else its first."""
        named = (each for each in self.containers if each.name == self.name)
        return next(named, self.containers[0])

    @property
    def bare(self) -> Deployment:
        """The same, with nothing said of how it should run."""
        containers = (
            each._replace(requests={}, limits={}, probes={}, hook=False) for each in self.containers
        )
        return self._replace(containers=tuple(containers), grace_s=0, priority=None)


def deployments(rendered: Iterable[Manifest]) -> dict[str, Deployment]:
    """The Deployments among these manifests, by name."""
    found = [_deployment(each) for each in manifests.of_kind(rendered, "Deployment")]
    return {each.name: _apart_from(each, found) for each in found}


def _apart_from(one: Deployment, found: Iterable[Deployment]) -> Deployment:
    shared = [each.name for each in found if each is not one and _share_pods(one, each)]
    reason = f"its selector, or the other's, is for pods of both, it and {', '.join(shared)}"
    return one._replace(stateful=one.stateful or reason) if shared else one


def _share_pods(one: Deployment, other: Deployment) -> bool:
    return selects(one.selector, other.labels) or selects(other.selector, one.labels)


def _deployment(manifest: Manifest) -> Deployment:
    spec = manifest["spec"]
    pod = spec["template"]["spec"]
    containers = tuple(map(_container, pod["containers"]))
    anti_affinity = (pod.get("affinity") or {}).get("podAntiAffinity") or {}
    return Deployment(
        manifests.name(manifest),
        spec["selector"],
        spec["template"]["metadata"].get("labels") or {},
        manifests.labels(manifest).get(NAME, manifests.name(manifest)),
        containers,
        _stateful(spec, pod, containers),
        off=spec.get("replicas") == 0,
        tolerations=tuple(pod.get("tolerations") or ()),
        apart=tuple(anti_affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()),
        grace_s=pod.get("terminationGracePeriodSeconds") or 0,
        priority=pod.get("priorityClassName"),
    )


def _container(container: Mapping[str, Any]) -> Container:
    resources = container.get("resources") or {}
    return Container(
        name=container["name"],
        ports=tuple(
            port["containerPort"]
            for port in container.get("ports") or ()
            if (port.get("protocol") or "TCP") == "TCP"
        ),
        command=tuple(map(str, container.get("command") or ())),
        args=tuple(map(str, container.get("args") or ())),
        requests=resources.get("requests") or {},
        limits=resources.get("limits") or {},
        probes={
            ours: _brought(container[name], container)
            for ours, name in PROBES.items()
            if container.get(name)
        },
        hook=bool((container.get("lifecycle") or {}).get("preStop")),
        environment=frozenset(each["name"] for each in container.get("env") or ()),
    )


def _brought(brought: Mapping[str, Any], container: Mapping[str, Any]) -> Brought:
    handler = next((each for each in HANDLERS if brought.get(each)), "")
    asked = brought.get(handler) or {}
    headers = asked.get("httpHeaders") or ()
    probe = Probe(
        port=_number(asked.get("port"), container),
        path=asked.get("path", "/") if handler == "httpGet" else None,
        host=next((each["value"] for each in headers if each["name"] == "Host"), None),
        command=tuple(map(str, asked.get("command") or ())),
        # Kubernetes' own defaults.
        period_s=brought.get("periodSeconds") or 10,
        timeout_s=brought.get("timeoutSeconds") or 1,
        failures=brought.get("failureThreshold") or 3,
    )
    return Brought(probe, handler)


def _number(port: int | str | None, container: Mapping[str, Any]) -> int | None:
    named = {each.get("name"): each["containerPort"] for each in container.get("ports") or ()}
    return named.get(port) if isinstance(port, str) else port


def _stateful(
    spec: Mapping[str, Any], pod: Mapping[str, Any], containers: tuple[Container, ...]
) -> str:
    for volume in pod.get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim:
            return f"its data are on a volume that one node can mount, {claim['claimName']}"
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        return "its strategy, Recreate, says that two pods would be in each other's way"
    if any(_beats(container) for container in containers):
        return "it is Celery's clock, and two would send each task twice"
    return ""


def _beats(container: Container) -> bool:
    # A worker with an embedded clock is one, too.
    return "celery" in container.words and not container.words.isdisjoint({"beat", "--beat", "-B"})
