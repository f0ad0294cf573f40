"""The engine room of the chart: nodes, metrics, disks, and the optional controllers."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from tutorplatform.manifests import Manifest

from platformchart import upstream
from tests.chart.conftest import Chart, RenderChart

pytestmark = pytest.mark.chart

OURS: dict[str, Any] = yaml.safe_load((upstream.CHART / "values.yaml").read_text())
# Each of these with its values, below values.yaml's key of the same name.
CHARTS = [each["name"] for each in upstream.dependencies(upstream.CHART)]
OPTIONAL: dict[str, Any] = {
    "components": {"externalSecrets": True, "externalDns": True, "keda": True},
    "external-dns": {
        "domainFilters": ["acme.org"],
        "extraArgs": {"default-targets": ["d111111abcdef8.cloudfront.net"]},
    },
    "prometheus": {"enabled": True},
}
# What charts have no list of names for: arguments, and what Kubernetes itself defines.
FREE = (
    "extraArgs",
    "expanderPriorities",
    "annotations",
    "resources",
    "podSecurityContext",
    "securityContext",
)
# It has a closed schema of its own, and values that its values.yaml does not show.
CLOSED = "traefik"

# https://github.com/kubernetes/autoscaler/blob/cluster-autoscaler-1.36.1/cluster-autoscaler/config/flags/flags.go
FLAGS = {
    *("balance-similar-node-groups", "balancing-ignore-label", "expander"),
    *("expendable-pods-priority-cutoff", "ignore-daemonsets-utilization"),
    *("max-node-provision-time", "max-nodes-total", "scale-down-delay-type-local"),
    *("skip-nodes-with-local-storage", "skip-nodes-with-system-pods"),
}

# Those that Kubernetes has: https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/
BUILT_IN = {"system-cluster-critical", "system-node-critical"}
# Chart of ours or theirs → why its Deployment may have one pod.
ALONE = {
    "external-dns": "two would undo each other's changes; its chart has one, and records stay",
    "prometheus": "without it, KEDA keeps the number of pods",
}


def theirs(chart: Chart, name: str) -> dict[str, Any]:
    """The values of a chart that ours depends on."""
    [packed] = (chart.path / "charts").glob(f"{name}-[0-9]*.tgz")
    with tarfile.open(packed) as archive:
        found = archive.extractfile(f"{name}/values.yaml")
        values: dict[str, Any] = yaml.safe_load(found) if found else {}
    return values


def unknown(ours: Mapping[str, Any], known: Mapping[str, Any], path: str) -> Iterator[str]:
    """Values of ours that a chart does not have; it would take them and do nothing."""
    for key, value in ours.items():
        if key not in known:
            yield f"{path}.{key}"
        elif isinstance(value, Mapping) and known[key] and key not in FREE:
            yield from unknown(value, known[key], f"{path}.{key}")


def deployments(objects: list[Manifest]) -> dict[str, Manifest]:
    return {o["metadata"]["name"]: o for o in objects if o["kind"] == "Deployment"}


def labels(deployment: Manifest) -> dict[str, str]:
    found: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return found


def pod(deployment: Manifest) -> Manifest:
    found: Manifest = deployment["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("name", CHARTS)
def test_charts_have_the_values_that_are_set(chart: Chart, name: str) -> None:
    """Most have no closed schema: a value with a wrong name would be taken in silence."""
    if chart.source.knows_values and name != CLOSED:
        assert list(unknown(OURS.get(name, {}), theirs(chart, name), name)) == []


def test_a_value_with_a_wrong_name_is_found() -> None:
    """The test above can fail."""
    assert list(unknown({"a": {"c": 1}, "d": 1}, {"a": {"b": 1}}, "x")) == ["x.a.c", "x.d"]


def test_the_autoscaler_has_the_flags_that_are_set() -> None:
    """An unknown one ends it at its start, and no node comes any more."""
    set_here = {flag.partition("_")[0] for flag in OURS["cluster-autoscaler"]["extraArgs"]}
    assert set_here == FLAGS


def test_nodes_come_for_room_that_waits() -> None:
    """The pause pods' priority is not below what the autoscaler adds nodes for."""
    arguments = OURS["cluster-autoscaler"]["extraArgs"]
    assert OURS["overprovisioning"]["priority"] >= arguments["expendable-pods-priority-cutoff"]


def test_spot_comes_before_all_other_groups() -> None:
    """And a last pattern is for every group, as one under no pattern gets no nodes."""
    priorities = OURS["cluster-autoscaler"]["expanderPriorities"]
    assert priorities[max(priorities)] == [".*spot.*"]
    assert priorities[min(priorities)] == [".*"]


def test_every_deployment_outlives_a_node(render_chart: RenderChart) -> None:
    """Two pods, spread, with a PodDisruptionBudget that lets one of them go; or a reason.

    Room that waits needs no budget: whatever evicts it may have it.
    """
    objects = render_chart(**OPTIONAL)
    budgets = [o["spec"] for o in objects if o["kind"] == "PodDisruptionBudget"]
    scaled = {
        o["spec"]["scaleTargetRef"]["name"]: o["spec"]["minReplicas"]
        for o in objects
        if o["kind"] == "HorizontalPodAutoscaler"
    }
    for name, deployment in deployments(objects).items():
        if name in ALONE:
            continue
        assert scaled.get(name, deployment["spec"].get("replicas")) >= 2, name
        spread = pod(deployment)["topologySpreadConstraints"]
        assert "topology.kubernetes.io/zone" in {each["topologyKey"] for each in spread}, name
        for each in spread:
            chosen = each["labelSelector"]["matchLabels"]
            assert chosen.items() <= labels(deployment).items(), name
        own = [
            b for b in budgets if b["selector"]["matchLabels"].items() <= labels(deployment).items()
        ]
        assert len(own) == (name != "overprovisioning"), name
        for budget in own:
            assert 1 in (budget.get("maxUnavailable"), budget.get("minAvailable")), name


def test_no_instance_takes_the_place_of_what_scales_it(render_chart: RenderChart) -> None:
    """A pod without a class has priority 0, and what serves users more."""
    for name, deployment in deployments(render_chart(**OPTIONAL)).items():
        if name != "overprovisioning":
            assert pod(deployment).get("priorityClassName") in BUILT_IN, name


def test_every_pod_is_restricted(render_chart: RenderChart) -> None:
    """Pod Security `restricted`, of the pod or of each container; and nobody writes to the root."""
    for name, deployment in deployments(render_chart(**OPTIONAL)).items():
        spec = pod(deployment)
        for container in spec["containers"]:
            security = {**spec.get("securityContext", {}), **container["securityContext"]}
            assert security["runAsNonRoot"] is True, name
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name


def test_disks_are_encrypted_and_made_where_the_pod_is(render_chart: RenderChart) -> None:
    [storage] = [o for o in render_chart() if o["kind"] == "StorageClass"]
    assert storage["metadata"]["name"] == "gp3"
    assert storage["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert storage["volumeBindingMode"] == "WaitForFirstConsumer"
    assert storage["allowVolumeExpansion"] is True
    annotations = storage["metadata"]["annotations"]
    assert annotations == {"storageclass.kubernetes.io/is-default-class": "true"}


def test_the_class_of_disks_can_be_changed_or_left_out(render_chart: RenderChart) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
    own = {"name": "openedx", "isDefault": False, "kmsKeyId": key}
    [storage] = [o for o in render_chart(storageClass=own) if o["kind"] == "StorageClass"]
    assert storage["metadata"]["name"] == "openedx"
    assert storage["parameters"]["kmsKeyId"] == key
    annotations = storage["metadata"]["annotations"]
    assert annotations == {"storageclass.kubernetes.io/is-default-class": "false"}
    without = render_chart(storageClass={"enabled": False})
    assert [o for o in without if o["kind"] == "StorageClass"] == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("domainFilters", [], "external-dns.domainFilters: no domain; list those"),
        ("extraArgs", {"default-targets": []}, "extraArgs.default-targets: no target"),
    ],
)
def test_records_without_bounds_or_targets_are_refused(
    render_chart: RenderChart, key: str, value: Any, said: str
) -> None:
    values = {**OPTIONAL, "external-dns": {**OPTIONAL["external-dns"], key: value}}
    with pytest.raises(subprocess.CalledProcessError) as raised:
        render_chart(**values)
    assert said in raised.value.stderr
