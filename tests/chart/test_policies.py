"""The admission policies of the chart, as rendered; what they refuse: tests/cluster."""

from __future__ import annotations

from typing import Any

import pytest
from tutorplatform.manifests import Manifest

from tests.chart.conftest import REQUIRED, RenderChart

pytestmark = pytest.mark.chart

POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
NAME = "app.kubernetes.io/name"
ALWAYS_EXEMPT = ["kube-system", "kube-public", "kube-node-lease", "platform"]


def named(objects: list[Manifest], kind: str) -> dict[str, Any]:
    """Those for namespaces; the guard of an uninstall and what stays is another matter."""
    others = ("params", "uninstall-guard")
    own = [o for o in objects if o["metadata"].get("labels", {}).get(NAME) not in others]
    return {o["metadata"]["name"]: o["spec"] for o in own if o["kind"] == kind}


def selected(binding: dict[str, Any]) -> dict[str, Any]:
    [expression] = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    return dict(expression)


def test_every_policy_is_bound_and_refuses(render_chart: RenderChart) -> None:
    """One that cannot be evaluated refuses as well."""
    objects = render_chart()
    policies, bindings = named(objects, POLICY), named(objects, BINDING)
    assert len(policies) >= 8
    assert {each["policyName"] for each in bindings.values()} == set(policies) == set(bindings)
    assert {each["failurePolicy"] for each in policies.values()} == {"Fail"}
    assert all(each["validationActions"] == ["Deny"] for each in bindings.values())


@pytest.mark.parametrize("exempt", [[], ["monitoring"], ["monitoring", "velero"]])
def test_only_listed_namespaces_are_exempt(render_chart: RenderChart, exempt: list[str]) -> None:
    """By the label that the API server itself sets, so that a new namespace is in it at once."""
    bindings = named(render_chart(policies={"exemptNamespaces": exempt}), BINDING)
    for binding in bindings.values():
        assert selected(binding) == {
            "key": "kubernetes.io/metadata.name",
            "operator": "NotIn",
            "values": [*ALWAYS_EXEMPT, *exempt],
        }


def test_no_policy_covers_less_than_its_binding(render_chart: RenderChart) -> None:
    for policy in named(render_chart(), POLICY).values():
        assert not {"namespaceSelector", "objectSelector", "excludeResourceRules"} & set(
            policy["matchConstraints"]
        )


def test_whose_a_host_is_stands_in_the_release_and_nowhere_else(render_chart: RenderChart) -> None:
    """A ConfigMap of the same name in an instance's namespace counts for nothing."""
    bindings = named(render_chart(), BINDING)
    for name in ("hosts", "certificates"):
        assert bindings[f"platform-{name}"]["paramRef"] == {
            "name": name,
            "namespace": "platform",
            "parameterNotFoundAction": "Deny",
        }


def test_each_refusal_has_its_words(render_chart: RenderChart) -> None:
    for policy in named(render_chart(), POLICY).values():
        for validation in policy["validations"]:
            assert "; " in validation.get("message", validation.get("messageExpression"))


def test_classes_come_from_the_values(render_chart: RenderChart) -> None:
    """Those for routes, and those of all load balancers."""
    [main] = REQUIRED["edge"]["loadBalancers"]
    objects = render_chart(
        policies={"ingressClasses": ["traefik", "nginx"]},
        edge={
            "loadBalancers": [
                {**main, "name": name, "ingressClass": f"alb-{name}"} for name in ("main", "second")
            ]
        },
    )
    policy = named(objects, POLICY)["platform-ingresses"]
    expressions = [each["expression"] for each in policy["variables"]]
    assert 'variables.class in ["alb-main","alb-second"]' in expressions
    assert 'in ["traefik","nginx"]' in policy["validations"][0]["expression"]


def test_policies_can_be_left_out(render_chart: RenderChart) -> None:
    objects = render_chart(policies={"enabled": False})
    assert not named(objects, POLICY)
    assert not named(objects, BINDING)


@pytest.mark.parametrize("policies", [True, False])
def test_the_api_server_never_stops_to_watch(render_chart: RenderChart, policies: bool) -> None:
    """Each kind of Kubernetes' own that is a parameter is one of a policy that stays."""
    objects = [o for o in render_chart(policies={"enabled": policies}) if o["kind"] == POLICY]
    keep = {"helm.sh/resource-policy": "keep"}
    kept = [o for o in objects if o["metadata"].get("annotations", {}) == keep]
    used = [o["spec"]["paramKind"]["kind"] for o in objects if "paramKind" in o["spec"]]
    assert {o["spec"]["paramKind"]["kind"] for o in kept} == set(used)
    for each in kept:
        assert each["spec"]["failurePolicy"] == "Ignore"
        assert each["spec"]["matchConstraints"]["resourceRules"][0]["resources"] == ["nothing"]
