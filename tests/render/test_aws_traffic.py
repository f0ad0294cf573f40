"""Who may talk to whom, by the NetworkPolicies and pods that kustomize makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tutorplatform import manifests
from tutorplatform.manifests import Manifest

from tests.conftest import NewRoot
from tests.render.aws_services import external_services
from tests.render.traffic import allows
from tests.render.wiring import PLUGINS

pytestmark = pytest.mark.render

DATA = "10.0.64.9"


@pytest.fixture(scope="module")
def rendered(new_root: NewRoot, ca_file: Path) -> list[Manifest]:
    services = external_services(ca_file)
    services["AWS_NETWORK"] = {"data_cidrs": ["10.0.64.0/20"]}
    root = new_root("aws", "autoscale", *PLUGINS, **services)
    root.run("config", "save")
    return root.rendered()


def pods(rendered: list[Manifest]) -> Iterator[tuple[str, dict[str, str]]]:
    """(name, labels) of the pods of each Deployment and Job."""
    for kind in ("Deployment", "Job"):
        for each in manifests.of_kind(rendered, kind):
            labels = each["spec"]["template"]["metadata"]["labels"]
            yield manifests.name(each), labels


@pytest.fixture(scope="module")
def policies(rendered: list[Manifest]) -> list[Manifest]:
    return list(manifests.of_kind(rendered, "NetworkPolicy"))


def test_every_pod_reaches_names_data_and_the_internet(
    rendered: list[Manifest], policies: list[Manifest]
) -> None:
    """Kustomize adds labels to selectors, and what selects somebody else's pods must have none."""
    dns = ("kube-system", {"k8s-app": "kube-dns", "pod-template-hash": "x"})
    found = dict(pods(rendered))
    assert len(found) >= 15
    for labels in found.values():
        assert allows(policies, "egress", labels, dns, 53)
        assert allows(policies, "egress", labels, DATA, 3306)
        assert allows(policies, "egress", labels, "52.95.110.1", 443)
        assert allows(policies, "egress", labels, ("acme", found["lms"]), 8000)
        assert allows(policies, "ingress", labels, ("acme", found["caddy"]), 8000)


def test_no_pod_reaches_what_is_not_its_own(
    rendered: list[Manifest], policies: list[Manifest]
) -> None:
    for _, labels in pods(rendered):
        for peer, port in (
            (("kube-system", {"k8s-app": "metrics-server"}), 53),
            (("beta", labels), 8000),
            ("172.20.0.1", 443),
            ("169.254.169.254", 80),
            (DATA, 22),
        ):
            assert not allows(policies, "egress", labels, peer, port)
        assert not allows(policies, "ingress", labels, ("beta", labels), 8000)


def test_requests_come_to_caddy_alone(rendered: list[Manifest], policies: list[Manifest]) -> None:
    traefik = ("platform", {"app.kubernetes.io/name": "traefik"})
    reached = {
        name for name, each in pods(rendered) if allows(policies, "ingress", each, traefik, 80)
    }
    assert reached == {"caddy"}


def test_credentials_of_the_role_are_for_pods_that_have_it(
    rendered: list[Manifest], policies: list[Manifest]
) -> None:
    """By the service account, which is what EKS goes by."""
    with_role = {
        manifests.name(each)
        for kind in ("Deployment", "Job")
        for each in manifests.of_kind(rendered, kind)
        if each["spec"]["template"]["spec"].get("serviceAccountName")
    }
    reach = {
        name
        for name, each in pods(rendered)
        if allows(policies, "egress", each, "169.254.170.23", 80)
    }
    assert reach == with_role != set()
