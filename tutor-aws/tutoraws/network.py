"""Who may talk to an instance's pods, and to whom they may talk, as NetworkPolicies.

On EKS the VPC CNI enforces them if its network policy agent is on; without one they are mere text.
https://kubernetes.io/docs/concepts/services-networking/network-policies/
https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tutorplatform.manifests import Manifest

from tutoraws.objects import IDENTITY_LABEL
from tutoraws.settings import Settings

# Never the internet: private networks, carriers' ones, and what is on the node itself, where
# AWS has credentials (169.254.169.254).
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
LINK_LOCAL = "169.254.0.0/16"
PRIVATE_V6 = ("fc00::/7", "fe80::/10")

# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
POD_IDENTITY = "169.254.170.23/32"
# https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/
NODE_LOCAL_DNS = "169.254.20.10/32"

CADDY = {"app.kubernetes.io/name": "caddy"}

Rule = dict[str, Any]


def policies(settings: Settings, config: Mapping[str, Any]) -> list[Manifest]:
    """Nothing is allowed but what is written here; no policies at all if that is switched off."""
    if not settings.network.enabled:
        return []
    return [
        _policy("default-deny", {}, ingress=[], egress=[]),
        _policy("within-the-instance", {}, ingress=[_from({})], egress=[_to({})]),
        _policy("from-the-ingress", CADDY, ingress=[_from_ingress(settings, config)]),
        _policy("to-dns", {}, egress=[_to_dns()]),
        _policy("to-services", {}, egress=list(_to_services(settings, config))),
        _policy("to-the-internet", {}, egress=_to_internet(settings, config)),
        _policy("to-pod-identity", IDENTITY_LABEL, egress=[_to_cidrs([POD_IDENTITY], [80])]),
    ]


def _policy(name: str, pods: Mapping[str, str], **rules: list[Rule]) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "openedx"}},
        "spec": {
            "podSelector": {"matchLabels": dict(pods)} if pods else {},
            "policyTypes": [kind.capitalize() for kind in rules],
            **{kind: listed for kind, listed in rules.items() if listed},
        },
    }


def _from_ingress(settings: Settings, config: Mapping[str, Any]) -> Rule:
    # Caddy listens there, whatever the port of its Service.
    ports = _ports([80])
    if config["ENABLE_WEB_PROXY"]:
        # It has a load balancer of its own, and browsers come straight to it.
        return {"ports": [*ports, *_ports([443]), {"protocol": "UDP", "port": 443}]}
    namespace = {"kubernetes.io/metadata.name": settings.ingress.namespace}
    return {"from": [{"namespaceSelector": {"matchLabels": namespace}}], "ports": ports}


def _to_dns() -> Rule:
    # To labels, kustomize would add those of the instance, which DNS has not.
    pods = [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchExpressions": pods},
    }
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {"to": [dns, {"ipBlock": {"cidr": NODE_LOCAL_DNS}}], "ports": ports}


def _to_services(settings: Settings, config: Mapping[str, Any]) -> Iterator[Rule]:
    network = settings.network
    ports = [
        int(config[f"{service}_PORT"])
        for service in ("MYSQL", "REDIS", "MONGODB")
        if not config[f"RUN_{service}"]
    ]
    if ports:
        yield _to_cidrs(network.data_cidrs or PRIVATE, ports)
    if settings.opensearch.host and network.data_cidrs:
        # Not any private address: at 443 the Kubernetes API listens too.
        yield _to_cidrs(network.data_cidrs, [settings.opensearch.port])
    for destination in network.egress:
        cidr, _, port = destination.rpartition(":")
        yield _to_cidrs([cidr], [int(port)])


def _to_internet(settings: Settings, config: Mapping[str, Any]) -> list[Rule]:
    network = settings.network
    ports = [443]
    # Also before SES has given credentials: a refusal is logged, and nobody waits for an answer.
    if not config["RUN_SMTP"]:
        ports.append(int(config["SMTP_PORT"]))
    if not config["RUN_MONGODB"] and settings.mongodb.srv_host:
        # Atlas may be reached over a peering, or not.
        ports.append(int(config["MONGODB_PORT"]))
    v4 = {"cidr": "0.0.0.0/0", "except": [*PRIVATE, LINK_LOCAL, *network.vpc_cidrs]}
    v6 = {"cidr": "::/0", "except": list(PRIVATE_V6)}
    return [{"to": [{"ipBlock": v4}, {"ipBlock": v6}], "ports": _ports(ports)}]


def _from(pods: Mapping[str, Any]) -> Rule:
    return {"from": [{"podSelector": dict(pods)}]}


def _to(pods: Mapping[str, Any]) -> Rule:
    return {"to": [{"podSelector": dict(pods)}]}


def _to_cidrs(cidrs: Iterable[str], ports: Iterable[int]) -> Rule:
    return {"to": [{"ipBlock": {"cidr": cidr}} for cidr in cidrs], "ports": _ports(ports)}


def _ports(ports: Iterable[int]) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in sorted(set(ports))]
