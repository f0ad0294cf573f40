"""What tests look for in rendered objects of workloads that scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tutorplatform import manifests
from tutorplatform.manifests import Manifest

AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
PROBES = {"startupProbe", "readinessProbe", "livenessProbe"}


def named(rendered: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The objects of one kind by name; each name is there once."""
    found = list(manifests.of_kind(rendered, kind))
    by_name = {manifests.name(each): each for each in found}
    assert len(by_name) == len(found)
    return by_name


def targets(rendered: list[Manifest]) -> list[str]:
    """The Deployment of each autoscaler of either kind, as often as there is one."""
    refs = [each["spec"]["scaleTargetRef"] for each in manifests.of_kind(rendered, *AUTOSCALERS)]
    assert {ref.get("kind", "Deployment") for ref in refs} <= {"Deployment"}
    return [ref["name"] for ref in refs]


def scaled(rendered: list[Manifest]) -> list[Manifest]:
    """The Deployments that have an autoscaler."""
    deployments = named(rendered, "Deployment")
    return [deployments[name] for name in targets(rendered)]


def pod(manifest: Manifest) -> dict[str, Any]:
    """The pod spec, which there has to be."""
    spec = manifests.pod_spec(manifest)
    assert spec is not None
    return spec


def selectors(rendered: list[Manifest], deployment: Manifest) -> Iterator[dict[str, str]]:
    """The labels that budget, spread and anti-affinity of a Deployment select pods by."""
    budget = named(rendered, "PodDisruptionBudget")[manifests.name(deployment)]
    yield budget["spec"]["selector"]["matchLabels"]
    spec = pod(deployment)
    for constraint in spec["topologySpreadConstraints"]:
        yield constraint["labelSelector"]["matchLabels"]
    apart = spec["affinity"]["podAntiAffinity"]
    for term in apart["preferredDuringSchedulingIgnoredDuringExecution"]:
        yield term["podAffinityTerm"]["labelSelector"]["matchLabels"]


def selected(rendered: list[Manifest], selector: dict[str, str]) -> list[tuple[str, str]]:
    """Kind and name of everything whose pods a selector matches."""
    return [
        (each["kind"], manifests.name(each))
        for each in rendered
        if manifests.pod_spec(each) is not None
        and selector.items() <= each["spec"]["template"]["metadata"].get("labels", {}).items()
    ]
