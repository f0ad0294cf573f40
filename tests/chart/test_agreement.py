"""What the plugins and their reference say of the chart is what it does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tutoraws import settings
from tutoraws.bootstrap.objects import LABELS as BOOTSTRAP
from tutorplatform import manifests

from platformchart.upstream import CHART
from tests.chart.conftest import RenderChart
from tests.render.traffic import Peer, allows

pytestmark = pytest.mark.chart

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "aws.md"


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def patience() -> dict[str, list[int]]:
    """Hop → the seconds that it waits for an answer, and those that it keeps a connection."""
    text = REFERENCE.read_text().split("**Who waits how long?**")[1].split("\n\n")[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {row[0]: [int(n) for n in re.findall(r"(\d+) s", " ".join(row[1:3]))] for row in rows}


def test_the_load_balancer_waits_as_long_as_the_reference_says(
    render_chart: RenderChart, patience: dict[str, list[int]]
) -> None:
    [params] = manifests.of_kind(render_chart(), "IngressClassParams")
    attributes = {each["key"]: each["value"] for each in params["spec"]["loadBalancerAttributes"]}
    assert patience["ALB"] == [int(attributes["idle_timeout.timeout_seconds"])] * 2


def test_traefik_waits_as_long_as_the_reference_says(
    values: dict[str, Any], patience: dict[str, list[int]]
) -> None:
    limits = values["traefik"]["ports"]["web"]["transport"]["respondingTimeouts"]
    assert patience["Traefik"] == [limits["readTimeout"], limits["idleTimeout"]]


def test_each_hop_waits_longer_than_the_one_behind(patience: dict[str, list[int]]) -> None:
    """So that a request ends where it is understood, and no kept connection is closed under one."""
    answer, *_ = patience["ALB"]
    assert patience["uWSGI"][0] == settings.REQUEST_S < answer
    assert answer < patience["Traefik"][1]


def test_what_the_plugin_assumes_by_default_is_the_charts_own(values: dict[str, Any]) -> None:
    """An instance on this chart needs no setting to be reached."""
    ingress = settings.Ingress()
    assert ingress.class_name == values["traefik"]["ingressClass"]["name"]
    assert [ingress.class_name] == values["policies"]["ingressClasses"]
    [load_balancer] = values["edge"]["loadBalancers"]
    assert ingress.load_balancers == (load_balancer["ingressClass"],)
    # The load balancer and Traefik each add to X-Forwarded-For.
    assert ingress.proxies == 2


def test_traefik_gives_up_on_lost_pods_soon(values: dict[str, Any]) -> None:
    """As decision 20 asks: a dial of a second, another try, and time to end."""
    traefik = values["traefik"]
    argument = "--serversTransport.forwardingTimeouts.dialTimeout=1s"
    assert argument in traefik["additionalArguments"]
    assert traefik["ports"]["web"]["transport"]["lifeCycle"]["requestAcceptGraceTimeout"] >= 20


def test_a_bootstrap_reaches_what_it_needs(render_chart: RenderChart) -> None:
    """Names, AWS, the databases and its role's credentials; no pod and not the node's."""
    policies = list(manifests.of_kind(render_chart(), "NetworkPolicy"))
    dns: Peer = ("kube-system", {"k8s-app": "kube-dns"})
    pod: Peer = ("acme", {})
    database = "10.0.64.9"
    needed: list[tuple[Peer, int]] = [
        *((dns, 53), ("52.95.110.1", 443), ("169.254.170.23", 80)),
        *((database, 3306), (database, 27017)),
    ]
    others: list[tuple[Peer, int]] = [("169.254.169.254", 80), (database, 22), (pod, 8000)]
    for peer, port in needed:
        assert allows(policies, "egress", BOOTSTRAP, peer, port)
    for peer, port in others:
        assert not allows(policies, "egress", BOOTSTRAP, peer, port)
