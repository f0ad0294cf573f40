"""Who may talk to the chart's pods, and to whom they may talk."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from tutorplatform.manifests import Manifest

from platformchart import iam
from tests.chart.conftest import REQUIRED, Chart, Helm, RenderChart, merged
from tests.chart.test_engine import OPTIONAL, deployments, labels

pytestmark = pytest.mark.chart

NAME = "app.kubernetes.io/name"
# The label NAME of every pod, as read in the charts' templates, and the ports that it opens.
PODS: dict[str, set[int]] = {
    "aws-load-balancer-controller": {9443, 8080},
    "traefik": {8000, 8080, 9100},
    "aws-cluster-autoscaler": {8085},
    "metrics-server": {10250},
    "external-secrets": {8080},
    "external-secrets-webhook": {8080, 10250},
    "external-secrets-cert-controller": {8080},
    "external-dns": {7979},
    "keda-operator": {9666},
    "keda-operator-metrics-apiserver": {6443},
    "keda-admission-webhooks": {9443},
    "prometheus": {9090},
}
# Whom the API server calls, from addresses that nobody knows beforehand.
CALLED = {name: port for name, (port, _) in iam.FROM_API_SERVER.items()}
# Who asks AWS with the role of its service account.
WITH_ROLES = {"aws-load-balancer-controller", "aws-cluster-autoscaler", "external-dns"}
IDENTITY = "169.254.170.23/32"


def policies(objects: list[Manifest]) -> dict[str, Manifest]:
    return {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "NetworkPolicy"}


def of_pods(objects: list[Manifest]) -> dict[str, Manifest]:
    """The policy of each kind of pods of the chart, by NAME."""
    return {
        spec["podSelector"]["matchLabels"][NAME]: spec
        for name, spec in policies(objects).items()
        # Those of bootstraps are made by `tutor`.
        if "matchLabels" in spec["podSelector"] and name != "bootstrap"
    }


def ports(rules: list[Manifest]) -> set[int]:
    return {port["port"] for rule in rules for port in rule.get("ports", [])}


@pytest.fixture(scope="module")
def everything(render_chart: RenderChart) -> list[Manifest]:
    """The chart with all that is optional."""
    return render_chart(**OPTIONAL)


def test_nothing_is_allowed_but_what_is_written(everything: list[Manifest]) -> None:
    spec = policies(everything)["default-deny"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_pod_opens_what_it_serves(everything: list[Manifest]) -> None:
    found = {name: ports(spec.get("ingress", [])) for name, spec in of_pods(everything).items()}
    assert found == PODS


def test_policies_select_the_pods_that_there_are(chart: Chart, everything: list[Manifest]) -> None:
    """Of the charts whose templates are here; and their ports are ports of the pods."""
    for deployment in deployments(everything).values():
        name = labels(deployment)[NAME]
        if name == "overprovisioning":
            continue
        containers = deployment["spec"]["template"]["spec"]["containers"]
        opened = {port["containerPort"] for each in containers for port in each.get("ports", [])}
        assert PODS[name] <= opened, name
    if chart.source.is_real:
        assert PODS.keys() <= {labels(each)[NAME] for each in deployments(everything).values()}


def test_only_webhooks_and_apis_are_open_to_all(everything: list[Manifest]) -> None:
    found = {
        name: port
        for name, spec in of_pods(everything).items()
        for rule in spec.get("ingress", [])
        if "from" not in rule
        for port in ports([rule])
    }
    assert found == CALLED


def test_requests_come_from_the_load_balancers_alone(render_chart: RenderChart) -> None:
    """Another pod in the VPC could else say who a client is."""
    subnets = ["10.0.0.0/20", "10.0.16.0/20"]
    trusted = {"ports": {"web": {"forwardedHeaders": {"trustedIPs": subnets}}}}
    rules = of_pods(render_chart(traefik=trusted))["traefik"]["ingress"]
    [rule] = [rule for rule in rules if 8000 in ports([rule])]
    assert ports([rule]) == set(iam.FROM_LOAD_BALANCERS["traefik"])
    assert [source["ipBlock"]["cidr"] for source in rule["from"]] == subnets


def test_traefik_reaches_caddy_and_no_other_pod(everything: list[Manifest]) -> None:
    [rule] = of_pods(everything)["traefik"]["egress"]
    assert rule["to"] == [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {NAME: "caddy"}}}
    ]
    assert ports([rule]) == {80}


def test_controllers_find_names_and_apis(everything: list[Manifest]) -> None:
    """All of them, but not the room that waits."""
    spec = policies(everything)["controllers"]
    [excepted] = spec["podSelector"]["matchExpressions"]
    assert (excepted["operator"], excepted["values"]) == ("NotIn", ["overprovisioning"])
    assert ports(spec["egress"]) == {53, 443}


def test_credentials_are_for_those_with_roles(everything: list[Manifest]) -> None:
    """EKS Pod Identity; the address where a node has its own is nobody's."""
    reach = {
        name: {
            block["ipBlock"]["cidr"]
            for rule in spec.get("egress", [])
            if "to" in rule
            for block in rule["to"]
            if "ipBlock" in block
        }
        for name, spec in of_pods(everything).items()
    }
    assert {name for name, blocks in reach.items() if IDENTITY in blocks} == WITH_ROLES
    [asks] = of_pods(everything)["keda-operator"]["egress"]
    [anywhere] = [
        b["ipBlock"] for b in asks["to"] if b.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    ]
    assert anywhere["except"] == ["169.254.0.0/16"]


@pytest.mark.parametrize("namespaces", [[], ["monitoring"], ["monitoring", "kube-prometheus"]])
def test_metrics_are_for_the_namespaces_that_are_listed(
    render_chart: RenderChart, namespaces: list[str]
) -> None:
    values = merged(OPTIONAL, {"networkPolicies": {"metricsFrom": namespaces}})
    spec = of_pods(render_chart(**values))["aws-cluster-autoscaler"]
    assert "Ingress" in spec["policyTypes"]
    sources = [rule["from"] for rule in spec.get("ingress", [])]
    chosen = [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces}]
    expected: list[Any] = [[{"namespaceSelector": {"matchExpressions": chosen}}]]
    assert sources == (expected if namespaces else [])


def test_components_that_are_not_there_have_none(render_chart: RenderChart) -> None:
    components = {"loadBalancerController", "traefik", "clusterAutoscaler", "metricsServer"}
    without = render_chart(components=dict.fromkeys(components, False), edge={"enabled": False})
    assert of_pods(without) == {}
    assert policies(render_chart(networkPolicies={"enabled": False})) == {}


def test_a_namespace_of_others_is_not_cut_off(helm: Helm, chart: Chart) -> None:
    where = ("--namespace=kube-system", "--kube-version=1.36.3")
    with pytest.raises(subprocess.CalledProcessError) as raised:
        helm("template", "platform", str(chart.path), *where, **merged(REQUIRED, OPTIONAL))
    assert "they would cut off every pod in kube-system" in raised.value.stderr
