"""The edge of `charts/platform`: load balancers, their classes, and what Traefik is told."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import yaml
from tutorplatform.manifests import Manifest

from tests.chart.conftest import REQUIRED, Chart, RenderChart

pytestmark = pytest.mark.chart

[MAIN] = REQUIRED["edge"]["loadBalancers"]
WAF = REQUIRED["edge"]["waf"]
TARGETS = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/edge/0123456789abcdef"
TWO = [MAIN, {**MAIN, "name": "second", "ingressClass": "alb-2"}]
GIVEN = {"mode": "targetGroupBinding", "loadBalancers": [{"name": "x", "targetGroupArn": TARGETS}]}
ANNOTATIONS = "alb.ingress.kubernetes.io/"
SUBCHARTS = ("aws-load-balancer-controller", "traefik")


def named(objects: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def spec_of(objects: list[Manifest], name: str = "edge-main") -> Any:
    return named(objects, "IngressClassParams")[name]["spec"]


def pairs(listed: list[dict[str, str]]) -> dict[str, str]:
    """What AWS' lists of keys and values say."""
    return {each["key"]: each["value"] for each in listed}


def annotation(objects: list[Manifest], key: str, name: str = "edge-main") -> str:
    text: str = named(objects, "Ingress")[name]["metadata"]["annotations"][ANNOTATIONS + key]
    return text


@pytest.fixture(scope="module")
def values(chart: Chart) -> Any:
    """What the chart tells the charts that it depends on."""
    return yaml.safe_load((chart.path / "values.yaml").read_text())


def test_the_web_acl_stands_in_three_places(render_chart: RenderChart) -> None:
    """By ARN and name where no annotation reaches, and again for a CRD that knows neither."""
    objects = render_chart()
    assert spec_of(objects)["wafv2AclArn"] == WAF["arn"]
    assert spec_of(objects)["wafv2AclName"] == WAF["name"]
    assert annotation(objects, "wafv2-acl-arn") == WAF["arn"]
    assert pairs(spec_of(objects)["loadBalancerAttributes"])["waf.fail_open.enabled"] == "false"


def test_a_load_balancer_may_have_its_own_web_acl_and_sources(render_chart: RenderChart) -> None:
    """What one says for itself changes nothing for the other."""
    arn = WAF["arn"].replace("webacl/edge", "webacl/other")
    own = {**TWO[1], "waf": {"arn": arn, "name": "other"}, "sources": "internet"}
    objects = render_chart(edge={"loadBalancers": [MAIN, own]})
    first, second = spec_of(objects), spec_of(objects, "edge-second")
    assert (first["wafv2AclName"], second["wafv2AclName"]) == ("edge", "other")
    assert annotation(objects, "wafv2-acl-arn", "edge-second") == second["wafv2AclArn"] == arn
    assert "prefixListsIDs" in first
    assert second["inboundCIDRs"] == ["0.0.0.0/0"]
    assert "prefixListsIDs" not in second


def test_one_ingress_per_load_balancer_leads_to_traefik(render_chart: RenderChart) -> None:
    """It alone has a default backend in its group, and its certificate is the default there."""
    objects = render_chart(edge={"loadBalancers": TWO})
    found = named(objects, "Ingress")
    assert set(found) == {"edge-main", "edge-second"}
    for each, wanted in zip(found.values(), TWO, strict=True):
        assert each["metadata"]["namespace"] == "platform"
        backend = {"service": {"name": "traefik", "port": {"number": 80}}}
        assert each["spec"] == {
            "ingressClassName": wanted["ingressClass"],
            "defaultBackend": backend,
        }
        assert each["metadata"]["annotations"][ANNOTATIONS + "group.order"] == "-1000"
    groups = {
        each["spec"]["group"]["name"] for each in named(objects, "IngressClassParams").values()
    }
    assert groups == {"openedx-main", "openedx-second"}


def test_classes_are_never_the_default(render_chart: RenderChart, values: Any) -> None:
    """An Ingress without a class is Traefik's; one of the edge has to say so, and to be allowed."""
    objects = render_chart(edge={"loadBalancers": TWO})
    for name, params in {"alb": "edge-main", "alb-2": "edge-second"}.items():
        found = named(objects, "IngressClass")[name]
        assert "annotations" not in found["metadata"]
        assert found["spec"]["controller"] == "ingress.k8s.aws/alb"
        assert found["spec"]["parameters"]["name"] == params
        assert spec_of(objects, params)["namespaceSelector"] == {
            "matchLabels": {"openedx-platform/edge": "allowed"}
        }
    assert values["traefik"]["ingressClass"] == {
        "enabled": True,
        "isDefaultClass": True,
        "name": "traefik",
    }


def test_certificates_are_an_annotation(render_chart: RenderChart) -> None:
    """In IngressClassParams they would take the place of those that instances bring."""
    objects = render_chart()
    assert annotation(objects, "certificate-arn") == MAIN["certificateArns"][0]
    assert "certificateArn" not in spec_of(objects)


@pytest.mark.parametrize(
    ("sources", "ports"),
    [("cloudfront", [{"HTTPS": 443}]), ("internet", [{"HTTP": 80}, {"HTTPS": 443}])],
)
def test_listeners_fit_a_security_group(
    render_chart: RenderChart, sources: str, ports: list[dict[str, int]]
) -> None:
    """CloudFront's list is 55 of 60 rules for each port; others are redirected from HTTP."""
    objects = render_chart(edge={"sources": sources})
    assert json.loads(annotation(objects, "listen-ports")) == ports
    assert spec_of(objects)["sslRedirectPort"] == "443"


def test_only_cloudfront_gets_in_whatever_an_annotation_says(render_chart: RenderChart) -> None:
    """With its list alone, `inbound-cidrs` of any Ingress in the group would count beside it."""
    spec = spec_of(render_chart())
    assert spec["prefixListsIDs"] == ["pl-4fa04526"]
    assert spec["inboundCIDRs"] == ["192.0.2.1/32"]


@pytest.mark.parametrize("bucket", ["", "logs"], ids=["none", "bucket"])
def test_access_logs_are_on_with_a_bucket(render_chart: RenderChart, bucket: str) -> None:
    """Two load balancers have a folder each."""
    objects = render_chart(edge={"accessLogs": {"bucket": bucket}, "loadBalancers": TWO})
    for name in ("main", "second"):
        found = pairs(spec_of(objects, f"edge-{name}")["loadBalancerAttributes"])
        logs = {key: value for key, value in found.items() if key.startswith("access_logs")}
        assert logs == (
            {
                "access_logs.s3.enabled": "true",
                "access_logs.s3.bucket": "logs",
                "access_logs.s3.prefix": f"edge/{name}",
            }
            if bucket
            else {"access_logs.s3.enabled": "false"}
        )


def test_the_load_balancer_says_truly_who_a_client_is(render_chart: RenderChart) -> None:
    """And waits longer than what is behind it: docs/reference/aws.md, "Requests"."""
    found = pairs(spec_of(render_chart())["loadBalancerAttributes"])
    assert found["routing.http.xff_header_processing.mode"] == "append"
    assert found["routing.http.xff_client_port.enabled"] == "false"
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert found["idle_timeout.timeout_seconds"] == "610"


@pytest.mark.parametrize("protected", [True, False])
def test_protection_is_the_load_balancers_and_the_controllers(
    render_chart: RenderChart, protected: bool
) -> None:
    """AWS refuses to delete, and the controller does not even try."""
    objects = render_chart(edge={"deletionProtection": protected})
    said = str(protected).lower()
    found = pairs(spec_of(objects)["loadBalancerAttributes"])
    assert found["deletion_protection.enabled"] == said
    assert annotation(objects, "load-balancer-attributes") == f"deletion_protection.enabled={said}"


@pytest.mark.parametrize(
    ("cluster", "readable"),
    [
        ("openedx", "openedx-main"),
        ("a" * 27, "a" * 27 + "-main"),
        ("a" * 28, "a" * 23 + "-"),
        ("Open_edx", "open-edx-main-"),
        ("open_edx", "open-edx-main-"),
    ],
    ids=["plain", "longest", "longer", "upper", "lower"],
)
def test_names_fit_and_differ(render_chart: RenderChart, cluster: str, readable: str) -> None:
    """AWS has 32 letters, digits and hyphens; two clusters of one account share no name."""
    unique = hashlib.sha256(f"{cluster}-main".encode()).hexdigest()[:8]
    name = spec_of(render_chart(**{"global": {"clusterName": cluster}}))["loadBalancerName"]
    assert name == readable + (unique if readable.endswith("-") else "")
    assert len(name) <= 32


def test_params_are_created_while_the_controller_is_down(render_chart: RenderChart) -> None:
    """By the label that its webhook leaves out: docs/decisions/0023."""
    for params in named(render_chart(), "IngressClassParams").values():
        assert params["metadata"]["labels"]["app.kubernetes.io/name"] == SUBCHARTS[0]


def test_target_groups_of_others_are_filled(render_chart: RenderChart) -> None:
    """Then the load balancer, its web ACL and its listeners are theirs: no class, no Ingress."""
    objects = render_chart(edge=GIVEN)
    [binding] = named(objects, "TargetGroupBinding").values()
    assert binding["spec"]["targetGroupARN"] == TARGETS
    assert binding["spec"]["serviceRef"] == {"name": "traefik", "port": 80}
    assert not named(objects, "Ingress")
    assert "alb" not in named(objects, "IngressClass")


def test_without_the_edge_its_classes_stay(render_chart: RenderChart) -> None:
    """The first step of an uninstall takes away what makes load balancers, and no more.

    An anchor of an instance would make one anew, so that none is taken any more.
    """
    open_ = render_chart(edge={"deletionProtection": False})
    off = render_chart(edge={"enabled": False, "deletionProtection": False})
    assert not named(off, "Ingress")
    for kind in ("IngressClass", "IngressClassParams"):
        assert named(off, kind) == named(open_, kind) != {}
    for objects, classes in ((open_, '["alb"]'), (off, "[]")):
        policy = named(objects, "ValidatingAdmissionPolicy")["platform-ingresses"]
        assert f"in {classes}" in str(policy["spec"])


def test_without_the_edge_nothing_is_protected(render_chart: RenderChart) -> None:
    """Helm changes what stays before it removes what goes: it would be on again at that moment."""
    attributes = spec_of(render_chart(edge={"enabled": False}))["loadBalancerAttributes"]
    assert pairs(attributes)["deletion_protection.enabled"] == "false"
