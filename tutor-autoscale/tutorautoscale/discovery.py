"""Rendered manifests → the Deployments that an instance has, and which of them can have two pods.

So a workload that nobody has told this plugin about, of any plugin, runs on two nodes as well.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tutorplatform import manifests
from tutorplatform.manifests import Manifest

PROBES = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}


class Container(NamedTuple):
    """A container of a Deployment. `probes`: those that it brings, by our names of them."""

    name: str
    ports: tuple[int, ...]
    command: tuple[str, ...]
    args: tuple[str, ...]
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    probes: frozenset[str]
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
    """A Deployment. `labels` select its pods; `stateful` says why it has one pod, or is empty.

    The first container is the one whose use is measured.
    """

    name: str
    labels: Mapping[str, str]
    containers: tuple[Container, ...]
    stateful: str = ""

    @property
    def main(self) -> Container:
        """The container that the Deployment is named after, else its first."""
        named = (each for each in self.containers if each.name == self.name)
        return next(named, self.containers[0])


def deployments(rendered: Iterable[Manifest]) -> dict[str, Deployment]:
    """The Deployments among these manifests, by name."""
    found = (_deployment(each) for each in manifests.of_kind(rendered, "Deployment"))
    return {each.name: each for each in found}


def _deployment(manifest: Manifest) -> Deployment:
    spec = manifest["spec"]
    pod = spec["template"]["spec"]
    containers = tuple(map(_container, pod["containers"]))
    labels = spec["selector"].get("matchLabels") or {}
    return Deployment(
        manifests.name(manifest), labels, containers, _stateful(spec, pod, containers)
    )


def _container(container: Mapping[str, Any]) -> Container:
    resources = container.get("resources") or {}
    return Container(
        name=container["name"],
        ports=tuple(
            port["containerPort"]
            for port in container.get("ports") or ()
            if port.get("protocol", "TCP") == "TCP"
        ),
        command=tuple(map(str, container.get("command") or ())),
        args=tuple(map(str, container.get("args") or ())),
        requests=resources.get("requests") or {},
        limits=resources.get("limits") or {},
        probes=frozenset(ours for ours, name in PROBES.items() if container.get(name)),
        environment=frozenset(each["name"] for each in container.get("env") or ()),
    )


def _stateful(
    spec: Mapping[str, Any], pod: Mapping[str, Any], containers: tuple[Container, ...]
) -> str:
    for volume in pod.get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim:
            return f"its data are on a volume that one node can mount, {claim['claimName']}"
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        return "its strategy, Recreate, says that two pods would be in each other's way"
    if not spec["selector"].get("matchLabels"):
        return "its selector has no labels, by which a budget could tell its pods from others"
    if any(_beats(container) for container in containers):
        return "it is Celery's clock, and two would send each task twice"
    return ""


def _beats(container: Container) -> bool:
    # A worker with an embedded clock is one, too.
    return "celery" in container.words and not container.words.isdisjoint({"beat", "--beat", "-B"})
