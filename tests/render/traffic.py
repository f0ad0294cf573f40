"""What NetworkPolicies let through, as Kubernetes has it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from tutorplatform.manifests import Manifest

# The namespace of the policies.
OWN = "acme"

# A peer: an address, or (namespace's name, pod's labels); None is a pod of the instance.
Peer = str | tuple[str, Mapping[str, str]] | None


def allows(
    policies: list[Manifest], direction: str, pod: Mapping[str, str], peer: Peer, port: int
) -> bool:
    """Whether what applies to a pod lets it talk to a peer (or be talked to), as Kubernetes says.

    Whatever no policy selects is free; of those that do, one is enough.
    """
    specs = [policy["spec"] for policy in policies]
    applying = [
        spec
        for spec in specs
        if direction.capitalize() in spec["policyTypes"] and selects(spec["podSelector"], pod)
    ]
    rules = [rule for spec in applying for rule in spec.get(direction, [])]
    side = "from" if direction == "ingress" else "to"
    return not applying or any(
        (side not in rule or any(is_peer(each, peer) for each in rule[side]))
        and ("ports" not in rule or port in [each["port"] for each in rule["ports"]])
        for rule in rules
    )


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector does; of expressions, those with `In` and `NotIn`."""
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items() and all(
        (labels.get(each["key"]) in each["values"]) is (each["operator"] == "In")
        for each in selector.get("matchExpressions", [])
    )


def is_peer(allowed: Mapping[str, Any], peer: Peer) -> bool:
    """Whether a peer is among those that are allowed."""
    if "ipBlock" in allowed:
        if not isinstance(peer, str):
            return False
        block, address = allowed["ipBlock"], ip_address(peer)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(cidr) for cidr in block.get("except", [])
        )
    if isinstance(peer, str):
        return False
    namespace, labels = peer or (OWN, {})
    if "namespaceSelector" in allowed:
        names = {"kubernetes.io/metadata.name": namespace}
        return selects(allowed["namespaceSelector"], names) and selects(
            allowed.get("podSelector", {}), labels
        )
    return namespace == OWN and selects(allowed["podSelector"], labels)
