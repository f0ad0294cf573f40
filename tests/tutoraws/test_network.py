"""NetworkPolicies, by what they let through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tutoraws import network
from tutoraws.objects import IDENTITY_LABEL
from tutoraws.settings import Ingress, Mongodb, Network, Opensearch, Settings

from tests.render.traffic import Peer, allows

CONFIG = {
    "ENABLE_WEB_PROXY": False,
    "MONGODB_PORT": "27017",
    "MYSQL_PORT": 3306,
    "REDIS_PORT": 6379,
    "RUN_MONGODB": False,
    "RUN_MYSQL": False,
    "RUN_REDIS": False,
    "RUN_SMTP": False,
    "SMTP_HOST": "smtp",
    "SMTP_PORT": 8025,
}
LMS = {"app.kubernetes.io/name": "lms", **IDENTITY_LABEL}
NOTES = {"app.kubernetes.io/name": "notes"}
CADDY = {"app.kubernetes.io/name": "caddy"}

ALL = network.policies(Settings(network=Network(data_cidrs=("10.0.64.0/20",))), CONFIG)

OUTGOING = [
    pytest.param(LMS, None, 8000, True, id="the instance's own pods"),
    pytest.param(LMS, ("beta", CADDY), 80, False, id="another instance"),
    pytest.param(LMS, ("kube-system", {"k8s-app": "kube-dns"}), 53, True, id="DNS"),
    pytest.param(LMS, ("kube-system", {"k8s-app": "other"}), 53, False, id="not DNS"),
    pytest.param(LMS, "169.254.20.10", 53, True, id="DNS on the node"),
    pytest.param(LMS, "10.0.65.1", 3306, True, id="MySQL"),
    pytest.param(LMS, "10.0.65.1", 6379, True, id="Redis"),
    pytest.param(NOTES, "10.0.65.1", 27017, True, id="MongoDB"),
    pytest.param(LMS, "10.0.65.1", 22, False, id="another port of the databases"),
    pytest.param(LMS, "10.0.0.5", 3306, False, id="a database elsewhere"),
    pytest.param(LMS, "10.0.0.5", 443, False, id="the VPC"),
    pytest.param(LMS, "100.64.3.4", 443, False, id="pods of a second range"),
    pytest.param(LMS, "172.20.0.1", 443, False, id="the Kubernetes API"),
    pytest.param(LMS, "52.95.110.1", 443, True, id="AWS, and the internet"),
    pytest.param(LMS, "52.95.110.1", 25, False, id="mail past the relay"),
    pytest.param(LMS, "2a05:d018::1", 443, True, id="the internet, IPv6"),
    pytest.param(LMS, "fd00:ec2::254", 443, False, id="the node, IPv6"),
    pytest.param(LMS, "169.254.169.254", 80, False, id="the node's credentials"),
    pytest.param(LMS, "169.254.169.254", 443, False, id="the node's credentials, by TLS"),
    pytest.param(LMS, "169.254.170.23", 80, True, id="Pod Identity, with a role"),
    pytest.param(NOTES, "169.254.170.23", 80, False, id="Pod Identity, without"),
]


@pytest.mark.parametrize(("pod", "peer", "port", "allowed"), OUTGOING)
def test_pods_reach_what_they_need_and_no_more(
    pod: Mapping[str, str], peer: Peer, port: int, allowed: bool
) -> None:
    assert allows(ALL, "egress", pod, peer, port) is allowed


@pytest.mark.parametrize(
    ("pod", "peer", "port", "allowed"),
    [
        pytest.param(LMS, None, 8000, True, id="the instance's own pods"),
        pytest.param(CADDY, ("platform", {"app": "traefik"}), 80, True, id="the ingress"),
        pytest.param(CADDY, ("platform", {"app": "traefik"}), 2019, False, id="Caddy's API"),
        pytest.param(LMS, ("platform", {"app": "traefik"}), 8000, False, id="past Caddy"),
        pytest.param(CADDY, ("beta", CADDY), 80, False, id="another instance"),
        pytest.param(CADDY, "203.0.113.9", 80, False, id="the internet"),
        pytest.param(LMS, "10.0.0.5", 8000, False, id="a NodePort"),
    ],
)
def test_requests_come_in_through_the_ingress(
    pod: Mapping[str, str], peer: Peer, port: int, allowed: bool
) -> None:
    assert allows(ALL, "ingress", pod, peer, port) is allowed


def test_caddys_own_load_balancer_is_open_to_browsers() -> None:
    policies = network.policies(Settings(), {**CONFIG, "ENABLE_WEB_PROXY": True})
    assert allows(policies, "ingress", CADDY, "203.0.113.9", 443)
    assert not allows(policies, "ingress", LMS, "203.0.113.9", 8000)


def test_databases_may_be_at_any_private_address() -> None:
    """Where nobody says where they are; but only at their ports."""
    policies = network.policies(Settings(), CONFIG)
    assert allows(policies, "egress", LMS, "10.9.8.7", 3306)
    assert not allows(policies, "egress", LMS, "10.9.8.7", 443)


@pytest.mark.parametrize(
    ("settings", "config", "peer", "port"),
    [
        pytest.param(
            Settings(network=Network(egress=("203.0.113.7/32:636",))),
            {},
            "203.0.113.7",
            636,
            id="LDAP",
        ),
        pytest.param(
            Settings(),
            {"SMTP_HOST": "relay.acme.test", "SMTP_PORT": 587},
            "1.2.3.4",
            587,
            id="mail",
        ),
        pytest.param(
            Settings(), {"SMTP_PORT": 587}, "1.2.3.4", 587, id="SES, with credentials or without"
        ),
        pytest.param(
            Settings(mongodb=Mongodb(srv_host="a.mongodb.net")), {}, "1.2.3.4", 27017, id="Atlas"
        ),
    ],
)
def test_what_else_is_needed_is_opened(
    settings: Settings, config: dict[str, Any], peer: str, port: int
) -> None:
    assert allows(network.policies(settings, {**CONFIG, **config}), "egress", LMS, peer, port)
    assert not allows(ALL, "egress", LMS, peer, port)


def test_opensearch_is_reached_where_the_data_is_and_nowhere_else() -> None:
    """At 443 anything else in the VPC listens too, such as the Kubernetes API."""
    search = Opensearch(host="search.test")
    data = Network(data_cidrs=("10.0.64.0/20",))
    policies = network.policies(Settings(opensearch=search, network=data), CONFIG)
    assert allows(policies, "egress", LMS, "10.0.65.1", 443)
    assert not allows(policies, "egress", LMS, "10.0.0.5", 443)
    assert not allows(ALL, "egress", LMS, "10.0.65.1", 443)
    policies = network.policies(Settings(opensearch=search), CONFIG)
    assert not allows(policies, "egress", LMS, "172.20.0.1", 443)


def test_services_of_tutors_own_need_no_way_out() -> None:
    own = {f"RUN_{service}": True for service in ("MYSQL", "REDIS", "MONGODB", "SMTP")}
    assert not allows(
        network.policies(Settings(), {**CONFIG, **own}), "egress", LMS, "10.9.8.7", 3306
    )


def test_mail_through_a_relay_of_tutors_own_opens_no_port() -> None:
    own = {**CONFIG, "RUN_SMTP": True}
    assert not allows(network.policies(Settings(), own), "egress", LMS, "1.2.3.4", 8025)


def test_a_vpc_with_unusual_addresses_is_closed_too() -> None:
    policies = network.policies(Settings(network=Network(vpc_cidrs=("198.18.0.0/16",))), CONFIG)
    assert not allows(policies, "egress", LMS, "198.18.0.5", 443)
    assert allows(ALL, "egress", LMS, "198.18.0.5", 443)


def test_another_ingress_controller() -> None:
    policies = network.policies(Settings(ingress=Ingress(namespace="edge")), CONFIG)
    assert allows(policies, "ingress", CADDY, ("edge", {}), 80)
    assert not allows(policies, "ingress", CADDY, ("platform", {}), 80)


def test_they_can_be_switched_off() -> None:
    assert network.policies(Settings(network=Network(enabled=False)), CONFIG) == []
