"""What the chart makes in the namespaces of instances."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from tutorplatform.manifests import Manifest

from tests.chart.conftest import RenderChart

pytestmark = pytest.mark.chart

ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000002"
ACME = {
    "hosts": ["learn.acme.org", "studio.acme.org"],
    "certificates": [ARN],
    "deployers": [
        {"kind": "Group", "name": "acme-team"},
        {"kind": "ServiceAccount", "name": "runner", "namespace": "ci"},
    ],
}


def one(objects: list[Manifest], kind: str, name: str, namespace: str = "") -> Manifest:
    [found] = [
        o
        for o in objects
        if (o["kind"], o["metadata"]["name"]) == (kind, name)
        and o["metadata"].get("namespace", "") == namespace
    ]
    return found


def places(objects: list[Manifest]) -> set[str]:
    return {o["metadata"].get("namespace", "") for o in objects}


def refused(render_chart: RenderChart, **values: Any) -> str:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        render_chart(**values)
    return str(raised.value.stderr)


@pytest.mark.parametrize("names", [[], ["acme"], ["acme", "beta"]])
def test_each_instance_gets_its_namespace(render_chart: RenderChart, names: list[str]) -> None:
    """With the label by which the load balancer takes its certificates, and kept for ever."""
    objects = render_chart(instances={name: {} for name in names})
    namespaces = [o for o in objects if o["kind"] == "Namespace"]
    assert [o["metadata"]["name"] for o in namespaces] == names
    assert places(objects) >= set(names)
    for namespace in namespaces:
        labels = namespace["metadata"]["labels"]
        assert labels["openedx-platform/edge"] == "allowed"
        assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
        assert namespace["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_a_namespace_is_no_tutor_roots_yet(render_chart: RenderChart) -> None:
    """Our plugins take this label for the name of the root that a namespace belongs to."""
    namespace = one(render_chart(instances={"acme": {}}), "Namespace", "acme")
    assert "app.kubernetes.io/instance" not in namespace["metadata"]["labels"]


def test_deployers_may_do_in_their_namespace_what_the_role_says(render_chart: RenderChart) -> None:
    objects = render_chart(instances={"acme": ACME, "beta": {}})
    binding = one(objects, "RoleBinding", "deployers", "acme")
    assert binding["roleRef"]["name"] == "instance-deployer"
    group, account = binding["subjects"]
    assert group == {
        "kind": "Group",
        "name": "acme-team",
        "apiGroup": "rbac.authorization.k8s.io",
    }
    assert account == {"kind": "ServiceAccount", "name": "runner", "namespace": "ci"}
    # Charts of others have bindings of their controllers.
    given = [o for o in objects if o.get("roleRef", {}).get("name") == "instance-deployer"]
    assert given == [binding]


def test_an_instance_says_how_it_differs(render_chart: RenderChart) -> None:
    """Key by key, and 0 and null are values too."""
    objects = render_chart(
        instances={
            "acme": {
                "podSecurity": "restricted",
                "quota": {"pods": 0, "requests.cpu": "8"},
                "containerDefaults": {"limits": {"memory": "1Gi"}},
            },
            "beta": {"quota": None},
        }
    )
    hard = one(objects, "ResourceQuota", "instance", "acme")["spec"]["hard"]
    assert (hard["pods"], hard["requests.cpu"], hard["requests.memory"]) == ("0", "8", "160Gi")
    [limit] = one(objects, "LimitRange", "instance", "acme")["spec"]["limits"]
    assert limit["default"] == {"memory": "1Gi"}
    assert limit["defaultRequest"] == {"cpu": "100m", "memory": "512Mi"}
    labels = one(objects, "Namespace", "acme")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert [o["metadata"]["namespace"] for o in objects if o["kind"] == "ResourceQuota"] == ["acme"]


def test_defaults_may_be_others(render_chart: RenderChart) -> None:
    objects = render_chart(instances={"acme": {}}, instanceDefaults={"quota": {"pods": "50"}})
    hard = one(objects, "ResourceQuota", "instance", "acme")["spec"]["hard"]
    assert hard["pods"] == "50"


def test_no_instance_has_a_door_of_its_own(render_chart: RenderChart) -> None:
    hard = one(render_chart(instances={"acme": {}}), "ResourceQuota", "instance", "acme")["spec"]
    assert hard["hard"]["services.loadbalancers"] == hard["hard"]["services.nodeports"] == "0"


def test_hosts_and_certificates_are_listed(render_chart: RenderChart) -> None:
    """Those of instances, and of namespaces that the chart does not make; kept for ever."""
    objects = render_chart(instances={"acme": ACME}, hosts={"old.example.org": "legacy"})
    hosts = one(objects, "ConfigMap", "hosts", "platform")
    assert hosts["data"] == {
        "learn.acme.org": "acme",
        "old.example.org": "legacy",
        "studio.acme.org": "acme",
    }
    certificates = one(objects, "ConfigMap", "certificates", "platform")
    assert certificates["data"] == {"acme": ARN}
    for each in (hosts, certificates):
        assert each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_without_instances_the_lists_are_there_and_empty(render_chart: RenderChart) -> None:
    objects = render_chart()
    for name in ("hosts", "certificates"):
        assert one(objects, "ConfigMap", name, "platform")["data"] == {}


def test_deployers_have_no_rights_over_what_bounds_them(render_chart: RenderChart) -> None:
    """What they may write, in full."""
    rules = one(render_chart(), "ClusterRole", "instance-deployer")["rules"]
    looking = {"get", "list", "watch"}
    written = {
        resource for rule in rules for resource in rule["resources"] if set(rule["verbs"]) - looking
    }
    assert written == {
        *("configmaps", "persistentvolumeclaims", "secrets", "serviceaccounts", "services"),
        *("deployments", "deployments/scale", "jobs", "pods/exec"),
        *("ingresses", "networkpolicies"),
        *("horizontalpodautoscalers", "poddisruptionbudgets", "verticalpodautoscalers"),
        *("scaledobjects", "triggerauthentications", "externalsecrets", "secretstores"),
    }
    assert "*" not in {word for rule in rules for words in rule.values() for word in words}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"instances": {"acme": {"hosts": ["a.org"]}, "beta": {"hosts": ["a.org"]}}},
            "instances.beta.hosts: a.org is acme's already",
        ),
        (
            {"instances": {"acme": {"hosts": ["a.org"]}}, "hosts": {"a.org": "beta"}},
            "instances.acme.hosts: a.org is beta's already",
        ),
        (
            {"instances": {"tools": {}}, "policies": {"exemptNamespaces": ["tools"]}},
            "instances.tools: no policy is for this namespace",
        ),
        ({"instances": {"platform": {}}}, "instances.platform: no policy is for this namespace"),
        (
            {"instances": {"acme": {"deployers": [{"kind": "ServiceAccount", "name": "x"}]}}},
            "instances.acme.deployers: ServiceAccount x is in no namespace",
        ),
        ({"instances": {"acme": {"hosts": ["Learn.acme.org"]}}}, "'/instances/acme/hosts/0'"),
        ({"instances": {"acme": {"hosts": ["*.acme.org"]}}}, "'/instances/acme/hosts/0'"),
        ({"instances": {"acme": {"certificates": ["0a1b"]}}}, "'/instances/acme/certificates/0'"),
        ({"instances": {"acme": {"host": ["a.org"]}}}, "additional properties 'host' not allowed"),
    ],
)
def test_instances_that_cannot_be_are_refused(
    render_chart: RenderChart, values: dict[str, Any], said: str
) -> None:
    assert said in refused(render_chart, **values)
