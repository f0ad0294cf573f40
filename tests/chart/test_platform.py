"""The chart `platform`, rendered by the real helm."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml
from tutorplatform import quantity
from tutorplatform.manifests import Manifest

from tests.chart.conftest import REQUIRED, Chart, Helm, RenderChart, merged

pytestmark = pytest.mark.chart

# Below it the cluster autoscaler adds no nodes for a pod.
CUTOFF = -10
PART = "app.kubernetes.io/part-of"
EVERYTHING = {"prometheus": {"enabled": True}}
NOTHING = {
    "overprovisioning": {"enabled": False},
    "priorityClasses": {"enabled": False},
    "prometheus": {"enabled": False},
}


def by_kind(objects: list[Manifest]) -> set[tuple[str, str]]:
    return {(each["kind"], each["metadata"]["name"]) for each in objects}


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    [found] = [o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    return found


def pod_specs(objects: list[Manifest]) -> list[Manifest]:
    """Of the chart's own Deployments; those of charts of others are in test_engine.py."""
    own = [o for o in objects if o["metadata"].get("labels", {}).get(PART) == "platform"]
    return [o["spec"]["template"]["spec"] for o in own if o["kind"] == "Deployment"]


@pytest.mark.parametrize("values", [{}, EVERYTHING, NOTHING], ids=["default", "all", "none"])
def test_helm_finds_nothing_to_blame(helm: Helm, chart: Chart, values: dict[str, Any]) -> None:
    said = helm("lint", "--strict", str(chart.path), **merged(REQUIRED, values))
    assert "0 chart(s) failed" in said


@pytest.mark.parametrize("kubernetes", ["1.34.0", "1.35.2", "1.36.3"])
def test_room_and_priorities_are_there_by_default(
    render_chart: RenderChart, kubernetes: str
) -> None:
    assert by_kind(render_chart(kubernetes)) >= {
        ("Deployment", "overprovisioning"),
        ("PriorityClass", "platform-overprovisioning"),
        ("PriorityClass", "openedx-serving"),
        ("PriorityClass", "openedx-background"),
    }


def test_each_component_can_be_left_out(render_chart: RenderChart) -> None:
    objects = render_chart(**NOTHING)
    assert pod_specs(objects) == []
    assert [o for o in objects if o["kind"] == "PriorityClass"] == []


def test_an_older_kubernetes_is_refused(render_chart: RenderChart) -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        render_chart("1.33.9")
    assert ">=1.34" in raised.value.stderr


def test_room_gives_way_to_everything_and_still_gets_nodes(render_chart: RenderChart) -> None:
    objects = render_chart()
    [pods] = pod_specs(objects)
    priority = one(objects, "PriorityClass", pods["priorityClassName"])
    assert CUTOFF <= priority["value"] < 0
    assert priority["preemptionPolicy"] == "Never"
    assert not any(o.get("globalDefault") for o in objects)


def test_room_is_in_every_zone(render_chart: RenderChart) -> None:
    """As hard a spread as the pods have that it is kept for."""
    deployment = one(render_chart(), "Deployment", "overprovisioning")
    [spread] = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"
    assert spread["whenUnsatisfiable"] == "DoNotSchedule"
    assert spread["labelSelector"] == deployment["spec"]["selector"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
    assert deployment["spec"]["replicas"] >= 3


def test_values_size_the_room(render_chart: RenderChart) -> None:
    room = {"replicas": 5, "cpu": "500m", "memory": "3Gi"}
    deployment = one(render_chart(overprovisioning=room), "Deployment", "overprovisioning")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["spec"]["replicas"] == 5
    assert container["resources"]["requests"] == {"cpu": "500m", "memory": "3Gi"}


def test_what_serves_users_comes_first(render_chart: RenderChart) -> None:
    objects = render_chart()
    serving = one(objects, "PriorityClass", "openedx-serving")["value"]
    background = one(objects, "PriorityClass", "openedx-background")["value"]
    # Below those that Kubernetes has for itself.
    assert 10**9 > serving > background > 0


def test_classes_may_have_other_names(render_chart: RenderChart) -> None:
    classes = {"serving": {"name": "gold"}, "background": {"name": "silver", "value": 1}}
    objects = render_chart(priorityClasses=classes)
    assert one(objects, "PriorityClass", "silver")["value"] == 1
    assert one(objects, "PriorityClass", "gold")["value"] > 1


def test_every_pod_is_as_restricted_as_can_be(render_chart: RenderChart) -> None:
    """Pod Security `restricted`, a root that nobody writes to, and a bound on memory."""
    specs = pod_specs(render_chart(**EVERYTHING))
    assert len(specs) == 2
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert quantity.memory_bytes(container["resources"]["limits"]["memory"], "") > 0


def test_prometheus_reads_the_network_of_pods_and_nothing_else(render_chart: RenderChart) -> None:
    objects = render_chart(**EVERYTHING)
    config = yaml.safe_load(one(objects, "ConfigMap", "prometheus")["data"]["prometheus.yml"])
    [job] = config["scrape_configs"]
    assert job["metrics_path"] == "/metrics/cadvisor"
    kept = [rule for rule in job["metric_relabel_configs"] if rule["action"] == "keep"]
    assert [rule["regex"] for rule in kept] == ["container_network_(receive|transmit)_bytes_total"]
    role = one(objects, "ClusterRole", "platform-prometheus")
    granted = {r: set(rule["verbs"]) for rule in role["rules"] for r in rule["resources"]}
    assert granted == {"nodes": {"get", "list", "watch"}, "nodes/metrics": {"get"}}
    assert "insecure_skip_verify" not in job["tls_config"]


def test_prometheus_is_found_and_may_read(render_chart: RenderChart) -> None:
    """Service, pods, account and role belong together, in the namespace of the release."""
    objects = render_chart(**EVERYTHING)
    deployment = one(objects, "Deployment", "prometheus")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    service = one(objects, "Service", "prometheus")
    assert service["spec"]["selector"].items() <= labels.items()
    [subject] = one(objects, "ClusterRoleBinding", "platform-prometheus")["subjects"]
    account = deployment["spec"]["template"]["spec"]["serviceAccountName"]
    assert (subject["name"], subject["namespace"]) == (account, "platform")
    assert ("ServiceAccount", account) in by_kind(objects)


def test_another_scrape_starts_prometheus_anew(render_chart: RenderChart) -> None:
    def annotations(interval: str) -> Any:
        values = {"prometheus": {"enabled": True, "scrapeInterval": interval}}
        return one(render_chart(**values), "Deployment", "prometheus")["spec"]["template"][
            "metadata"
        ]

    assert annotations("15s") != annotations("30s")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"overprovisionning": {}}, "additional properties 'overprovisionning' not allowed"),
        ({"overprovisioning": {"replica": 2}}, "additional properties 'replica' not allowed"),
        ({"overprovisioning": {"memory": "2GB"}}, "'/overprovisioning/memory': '2GB'"),
        ({"overprovisioning": {"cpu": 1}}, "'/overprovisioning/cpu': got number, want string"),
        ({"overprovisioning": {"replicas": 0}}, "'/overprovisioning/replicas': minimum"),
        ({"overprovisioning": {"priority": -11}}, "'/overprovisioning/priority': minimum"),
        ({"overprovisioning": {"priority": 0}}, "'/overprovisioning/priority': maximum"),
        ({"priorityClasses": {"serving": {"value": 0}}}, "'/priorityClasses/serving/value'"),
        ({"priorityClasses": {"serving": {"value": 500}}}, "500 is not above"),
        ({"prometheus": {"retention": "2 hours"}}, "'/prometheus/retention': '2 hours'"),
    ],
)
def test_values_that_cannot_work_are_refused_by_name(
    render_chart: RenderChart, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        render_chart(**values)
    assert said in raised.value.stderr
