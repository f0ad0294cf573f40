"""Whatever plugins and switches meet: what scales is whole, and nothing scales twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from tests.conftest import IN_CI, NewRoot
from tests.render.aws_services import external_services
from tests.render.scaling import (
    AUTOSCALERS,
    PROBES,
    named,
    pod,
    scaled,
    selected,
    selectors,
    targets,
)

pytestmark = pytest.mark.render

OFFICIAL = ("credentials", "discovery", "forum", "mfe", "notes", "xqueue")
SUITE = ("aws", "secrets")

# Of workloads that every instance has.
DIFFERENCES: Mapping[str, list[Any]] = {
    "lms": [
        {"requests": {"target": 20}},
        {"min": 1, "max": 1},
        {"disruption": "50%"},
        {"cpu": {"target": None}},
    ],
    "cms": [
        {"network": {"target": "5M"}},
        {"max": 30, "zones": "preferred"},
        {"drain": "time", "drain_s": 0},
    ],
    "lms-worker": [{"queue": {"target": 5}}, {"celery": {"concurrency": 8}}, {"priority": None}],
    "cms-worker": [{"memory": {"limit": None, "target": None}}, {"grace_s": 3600}],
}


class Combination(NamedTuple):
    """Plugins beside autoscale, and settings."""

    plugins: frozenset[str]
    settings: Mapping[str, Any]


def combinations() -> st.SearchStrategy[Combination]:
    """Any plugins with any switches, and now and then differences of a workload."""
    differences = {name: st.sampled_from(each) for name, each in DIFFERENCES.items()}
    switches = {
        "priority_classes": st.booleans(),
        "recommendations": st.booleans(),
        "prometheus_url": st.just("http://prometheus.platform:9090"),
    }
    return st.builds(
        Combination,
        st.frozensets(st.sampled_from([*OFFICIAL, *SUITE])).map(renderable),
        st.fixed_dictionaries(
            {
                "ENABLE_WEB_PROXY": st.booleans(),
                "AUTOSCALE_PROFILE": st.sampled_from(["standard", "small"]),
                "AUTOSCALE_CLUSTER": st.fixed_dictionaries(switches),
                "AUTOSCALE_SERVICES": st.fixed_dictionaries({}, optional=differences),
            }
        ),
    )


def renderable(plugins: frozenset[str]) -> frozenset[str]:
    """With mfe beside credentials, whose templates ask for MFE_HOST with Tutor alone, too."""
    return plugins | {"mfe"} if "credentials" in plugins else plugins


def rendered(new_root: NewRoot, ca_file: Path, combination: Combination) -> list[Manifest]:
    """What kustomize makes of it."""
    services = external_services(ca_file) if "aws" in combination.plugins else {}
    if "secrets" in combination.plugins:
        services = {key: services[key] for key in services if not key.endswith("_PASSWORD")}
    root = new_root("autoscale", *combination.plugins, **services, **combination.settings)
    root.run("config", "save")
    return root.rendered()


@settings(max_examples=20 if IN_CI else 4, deadline=None)
@given(combination=combinations())
def test_whatever_meets_is_whole(
    new_root: NewRoot, ca_file: Path, combination: Combination
) -> None:
    """Every scaled workload has all that it needs, of its own, exactly once."""
    found = rendered(new_root, ca_file, combination)
    deployments = scaled(found)
    assert {"cms", "cms-worker", "lms", "lms-worker"} <= set(map(manifests.name, deployments))
    for deployment in deployments:
        assert list(problems(found, deployment)) == []
    assert without_owner(found) == []
    by_keda = {manifests.name(each) for each in manifests.of_kind(found, "ScaledObject")}
    assert by_keda == measured_by_keda(combination)


def measured_by_keda(combination: Combination) -> set[str]:
    """The workloads with a target that only KEDA has a source for."""
    each: Mapping[str, Any] = combination.settings["AUTOSCALE_SERVICES"]
    return {
        name
        for name, differences in each.items()
        for signal in ("network", "requests", "queue")
        if differences.get(signal, {}).get("target") is not None
    }


def problems(found: list[Manifest], deployment: Manifest) -> Iterator[str]:
    """What a workload lacks."""
    name, spec = manifests.name(deployment), pod(deployment)
    if targets(found).count(name) != 1:
        yield "not exactly one autoscaler"
    if deployment["spec"].get("replicas") is not None:
        yield "replicas, which are the autoscaler's"
    if not spec["topologySpreadConstraints"]:
        yield "no spread"
    if any(
        selected(found, each) != [("Deployment", name)] for each in selectors(found, deployment)
    ):
        yield "a selector of other pods than its own"
    budget = named(found, "PodDisruptionBudget")[name]["spec"]
    if "minAvailable" in budget or budget["maxUnavailable"] in (0, "0%"):
        yield "a budget that may forbid all evictions"
    yield from (
        f"{container['name']}: without {missing}"
        for container in spec["containers"]
        for missing in lacking(container, is_main=container["name"] == name)
    )


def lacking(container: Mapping[str, Any], is_main: bool) -> set[str]:
    """What a container has to have, and has not; the main one is asked how it is."""
    requests = set(container.get("resources", {}).get("requests", {}))
    is_worker = "celery" in container.get("args", ())
    asked = PROBES - ({"readinessProbe"} if is_worker else set()) if is_main else set()
    return (asked - set(container)) | ({"cpu", "memory"} - requests)


def without_owner(found: list[Manifest]) -> list[str]:
    """Objects of ours that are for no Deployment."""
    kinds = ("PodDisruptionBudget", "VerticalPodAutoscaler")
    ours = map(manifests.name, manifests.of_kind(found, *AUTOSCALERS, *kinds))
    return sorted(set(ours) - set(named(found, "Deployment")))
