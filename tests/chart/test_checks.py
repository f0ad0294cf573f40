"""What `charts/platform` says to values that cannot work: where, what, and what to do."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from tests.chart.conftest import REQUIRED, RenderChart

pytestmark = pytest.mark.chart

[MAIN] = REQUIRED["edge"]["loadBalancers"]
[CERTIFICATE] = MAIN["certificateArns"]
WAF = REQUIRED["edge"]["waf"]
TARGETS = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/edge/0123456789abcdef"
GIVEN = {"name": "main", "targetGroupArn": TARGETS}


def edge(**changes: Any) -> dict[str, Any]:
    return {"edge": changes}


def balancers(*changes: dict[str, Any]) -> dict[str, Any]:
    return edge(loadBalancers=[{**MAIN, **each} for each in changes])


def waf(old: str, new: str) -> dict[str, Any]:
    return edge(waf={"arn": WAF["arn"].replace(old, new)})


def certificate(old: str, new: str) -> dict[str, Any]:
    return balancers({"certificateArns": [CERTIFICATE.replace(old, new)]})


def given(*changes: dict[str, Any]) -> dict[str, Any]:
    """Load balancers that somebody else has made."""
    return edge(mode="targetGroupBinding", loadBalancers=[{**GIVEN, **each} for each in changes])


def trusted(*ranges: str, **other: bool) -> dict[str, Any]:
    web = {"forwardedHeaders": {"trustedIPs": list(ranges), **other}}
    return {"traefik": {"ports": {"web": web}}}


def lifecycle(**changes: Any) -> dict[str, Any]:
    return {"traefik": {"ports": {"web": {"transport": {"lifeCycle": changes}}}}}


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "cluster": ({"global": {"clusterName": ""}}, "global.clusterName: missing; set it to"),
    "region": ({"global": {"region": ""}}, "global.region: missing; set it to"),
    "vpc": ({"global": {"vpcId": ""}}, "global.vpcId: missing; set it to"),
    "aws-own-name": (
        {"global": {"clusterName": "internal-x"}},
        "global.clusterName: AWS keeps names",
    ),
    "no-waf": (edge(waf={"arn": ""}), "edge.waf.arn: missing, and without a web ACL every"),
    "no-waf-name": (edge(waf={"name": ""}), "edge.waf.name: missing, and with the ARN alone"),
    "no-arn": (edge(waf={"arn": "edge"}), "edge.waf.arn: edge is not the ARN of a web ACL; write"),
    "no-acl": (waf("webacl", "rulegroup"), f"edge.waf.arn: {WAF['arn'][:20]}"),
    "cloudfront-acl": (
        waf("eu-west-1:123456789012:regional", "us-east-1:123456789012:global"),
        "is of the scope CLOUDFRONT, which a load balancer cannot use; make one",
    ),
    "acl-elsewhere": (waf("eu-west-1", "us-east-1"), "is not in eu-west-1, where the load"),
    "acl-of-another-name": (edge(waf={"name": "other"}), "edge.waf.name: other is not the name in"),
    "acl-of-its-own": (
        balancers({"waf": {"arn": "", "name": "edge"}}),
        "edge.loadBalancers[main].waf.arn: missing",
    ),
    "acl-called-none": (
        edge(waf={"arn": WAF["arn"].replace("/edge/", "/none/"), "name": "none"}),
        "edge.waf.name: none is the controller's word for no web ACL; make one with another name",
    ),
    "certificate-of-an-instance": (
        {"instances": {"acme": {"certificates": [CERTIFICATE.replace("eu-west-1", "us-east-1")]}}},
        "instances.acme.certificates: arn:aws:acm:us-east-1:",
    ),
    "another-traefik": (
        {"traefik": {"fullnameOverride": "foo"}},
        "traefik.fullnameOverride: foo is not what the edge and its policies are made for; "
        "write traefik",
    ),
    "a-door-of-its-own": (
        {"traefik": {"service": {"spec": {"type": "LoadBalancer"}}}},
        "traefik.service.spec.type: LoadBalancer is not what the edge",
    ),
    "another-port": (
        {"traefik": {"ports": {"web": {"port": 9000}}}},
        "traefik.ports.web.port: 9000 is not what the edge",
    ),
    "kinds-of-traefik": (
        {"traefik": {"providers": {"kubernetesCRD": {"enabled": True}}}},
        "traefik.providers.kubernetesCRD.enabled: true is not what the edge",
    ),
    "services-by-the-controller": (
        {
            "aws-load-balancer-controller": {
                "controllerConfig": {"featureGates": {"EnableServiceController": True}}
            }
        },
        "featureGates.EnableServiceController: true is not what the edge",
    ),
    "no-class-for-instances": (
        {"policies": {"ingressClasses": ["nginx"]}},
        "policies.ingressClasses: traefik, Traefik's class, is not in it",
    ),
    "no-certificate": (
        balancers({"certificateArns": []}),
        "edge.loadBalancers[main].certificateArns: empty, and HTTPS needs one; request",
    ),
    "no-certificate-arn": (certificate("certificate/", ""), "is not the ARN of a certificate;"),
    "certificate-elsewhere": (
        certificate("eu-west-1", "us-east-1"),
        "is not in eu-west-1, where the load balancer is; request one there",
    ),
    "certificate-of-others": (
        certificate("123456789012", "210987654321"),
        "is of another account than the web ACL",
    ),
    "no-prefix-list": (edge(cloudFrontPrefixList=""), "edge.cloudFrontPrefixList: missing, and"),
    "no-prefix-list-for-one": (
        {
            "edge": {
                "sources": "internet",
                "cloudFrontPrefixList": "",
                "loadBalancers": [{**MAIN, "sources": "cloudfront"}],
            }
        },
        "only CloudFront may reach edge.loadBalancers[main]; set it to what",
    ),
    "one-name": (
        balancers({}, {"ingressClass": "alb-2"}),
        "edge.loadBalancers: two have the name main; give each its own",
    ),
    "one-class": (
        balancers({}, {"name": "second"}),
        "edge.loadBalancers: two have the ingressClass alb; give each its own",
    ),
    "no-class": (
        edge(loadBalancers=[{"name": "main", "certificateArns": [CERTIFICATE]}]),
        "edge.loadBalancers[main].ingressClass: missing; name the IngressClass",
    ),
    "traefik's-class": (
        balancers({"ingressClass": "traefik"}),
        "edge.loadBalancers[main].ingressClass: traefik is the class of the instances' routes",
    ),
    "no-target-group": (
        given({"targetGroupArn": ""}),
        "edge.loadBalancers[main].targetGroupArn: missing, and edge.mode is targetGroupBinding;",
    ),
    "no-target-group-arn": (given({"targetGroupArn": "edge"}), "edge is not the ARN of a target"),
    "target-group-elsewhere": (
        given({"targetGroupArn": TARGETS.replace("eu-west-1", "us-east-1")}),
        "is not in eu-west-1, where the pods are; make one there",
    ),
    "one-target-group": (
        given({}, {"name": "second"}),
        f"edge.loadBalancers: two have the targetGroupArn {TARGETS}; give each its own",
    ),
    "target-groups-of-two": (
        given(
            {},
            {
                "name": "second",
                "targetGroupArn": TARGETS.replace("123456789012", "210987654321"),
            },
        ),
        "edge.loadBalancers: target groups are of different accounts, and the controller knows",
    ),
    "idle-too-long": (
        edge(idleTimeout=620),
        "respondingTimeouts.idleTimeout: 620 is not more than edge.idleTimeout, 620, so requests",
    ),
    "no-controller": (
        {"components": {"loadBalancerController": False}},
        "components.loadBalancerController: false, and nothing else makes or fills",
    ),
    "no-traefik": ({"components": {"traefik": False}}, "components.traefik: false, and the edge"),
    "zero-controllers": (
        {"aws-load-balancer-controller": {"replicaCount": 0}},
        "aws-load-balancer-controller.replicaCount: 0 is no pod to spare",
    ),
    "zero-traefiks": (
        {"traefik": {"autoscaling": {"minReplicas": 0}}},
        "traefik.autoscaling.minReplicas: 0 is no pod to spare",
    ),
    "one-traefik": (
        {"traefik": {"autoscaling": {"enabled": False}, "deployment": {"replicas": 1}}},
        "traefik.deployment.replicas: 1 is no pod to spare",
    ),
    "nobody-trusted": (trusted(), "forwardedHeaders.trustedIPs: empty, so the load balancer"),
    "everybody-trusted": (trusted("0.0.0.0/0"), "trustedIPs: 0.0.0.0/0 is more than the subnets"),
    "vpc-trusted": (trusted("10.0.0.0/16"), "trustedIPs: 10.0.0.0/16 is more than the subnets"),
    "six-trusted": (trusted("::/0"), "trustedIPs: ::/0 is more than the subnets"),
    "no-octet": (trusted("10.0.999.0/24"), "trustedIPs: 10.0.999.0/24 is not an address range"),
    "no-length": (trusted("10.0.0.0/33"), "trustedIPs: 10.0.0.0/33 is not an address range"),
    "no-range": (trusted("subnet-0a1b"), "trustedIPs: subnet-0a1b is not an address range; write"),
    "insecure": (trusted("10.0.0.0/20", insecure=True), "forwardedHeaders.insecure: true lets"),
    "cut-off": (
        {"traefik": {"deployment": {"terminationGracePeriodSeconds": 320}}},
        "terminationGracePeriodSeconds: 320 is not more than",
    ),
    "drained-longer": (
        edge(deregistrationDelay=321),
        "edge.deregistrationDelay: the load balancer waits 321 s for a pod of Traefik that ends "
        "after 320 s;",
    ),
    "minutes": (lifecycle(graceTimeOut="5m"), "20 and 5m are not both seconds; write numbers"),
}


def refusal(render_chart: RenderChart, **changes: Any) -> list[str]:
    """The lines that the chart says about these values."""
    with pytest.raises(subprocess.CalledProcessError) as raised:
        render_chart(**changes)
    error: str = raised.value.stderr
    assert "checks.yaml" in error
    return [line for line in error.splitlines()[1:] if re.match(r"\S+: ", line)]


@pytest.mark.parametrize(("changes", "sentence"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_said_with_what_to_do(
    render_chart: RenderChart, changes: dict[str, Any], sentence: str
) -> None:
    """One mistake is one sentence: where it is, what is wrong, and after a semicolon what to do."""
    [said] = refusal(render_chart, **changes)
    assert sentence in said
    assert re.fullmatch(r"[a-z][\w.\[\]-]*: [^;]+; .+", said)


def test_all_mistakes_are_said_at_once(render_chart: RenderChart) -> None:
    """Nobody has to install three times to learn of three mistakes."""
    said = refusal(
        render_chart,
        **{
            **trusted(),
            **balancers({"certificateArns": []}),
            "global": {"vpcId": ""},
        },
    )
    assert [line.split(":")[0] for line in said] == [
        "global.vpcId",
        "traefik.ports.web.forwardedHeaders.trustedIPs",
        "edge.loadBalancers[main].certificateArns",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        trusted("10.0.0.0/17", "10.1.2.3", "fd00:1:2::/64"),
        lifecycle(graceTimeOut="300s"),
        given({}, {"name": "second", "targetGroupArn": TARGETS.replace("edge/0", "edge/f")}),
        balancers({}, {"name": "second", "ingressClass": "alb-2"}),
    ],
    ids=["required", "ranges", "seconds", "given", "two"],
)
def test_what_can_work_is_let_through(render_chart: RenderChart, changes: dict[str, Any]) -> None:
    """No check refuses what is right."""
    assert render_chart(**changes)


def test_without_the_edge_nothing_of_it_has_to_be_known(render_chart: RenderChart) -> None:
    """Whoever has load balancers already installs the rest alone."""
    values = {
        "edge": {"enabled": False, "waf": {"arn": "", "name": ""}, "loadBalancers": [GIVEN]},
        "components": {"loadBalancerController": False, "traefik": False},
    }
    kinds = {each["kind"] for each in render_chart(**{**values, **trusted()})}
    assert kinds.isdisjoint({"IngressClass", "IngressClassParams", "Ingress"})
