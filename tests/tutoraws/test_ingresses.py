"""Ingress objects, and certificates for their hosts."""

from typing import Any

import pytest
from tutoraws import settings
from tutoraws.ingresses import covers, ingresses
from tutorplatform.errors import ConfigError
from tutorplatform.manifests import Manifest

ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"
OTHER_ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/9f8e7d6c"


def made(hosts: list[str], **ingress: Any) -> list[Manifest]:
    return ingresses(settings.read({"AWS_INGRESS": ingress}), hosts)


def test_an_ingress_sends_its_host_to_caddy() -> None:
    """One object per host, named after it, of the configured class."""
    (manifest,) = made(["learn.acme.test"], class_name="internal")
    assert manifest["metadata"]["name"] == "learn.acme.test"
    assert manifest["spec"]["ingressClassName"] == "internal"
    (rule,) = manifest["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert rule["host"] == "learn.acme.test"
    assert path["backend"]["service"] == {"name": "caddy", "port": {"name": "http"}}


@pytest.mark.parametrize(
    "host", ["", "a_b.test", "-a.test", "a..test", "*.acme.test", "a" * 254], ids=repr
)
def test_a_host_that_kubernetes_would_refuse(host: str) -> None:
    """It is refused before anything is applied."""
    with pytest.raises(ConfigError, match="is not a host name; correct LMS_HOST"):
        made([host])


def test_traefik_needs_no_annotations() -> None:
    """It has no limit on what it passes on; its timeouts are of the whole controller."""
    (manifest,) = made(["learn.acme.test"])
    assert "annotations" not in manifest["metadata"]


def test_nginx_is_told_what_studio_needs() -> None:
    """No limit beside Caddy's, and patience for more than the platform has; what is set wins."""
    ours = {"nginx.ingress.kubernetes.io/proxy-read-timeout": "1800", "acme.test/owner": "x"}
    (manifest,) = made(["studio.acme.test"], class_name="nginx", annotations=ours)
    annotations = manifest["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == "0"
    send = int(annotations["nginx.ingress.kubernetes.io/proxy-send-timeout"])
    assert send > settings.REQUEST_S
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "1800"
    assert annotations["acme.test/owner"] == "x"


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        pytest.param("learn.acme.org", "learn.acme.org", True, id="same"),
        pytest.param("learn.acme.org", "studio.learn.acme.org", False, id="below"),
        pytest.param("*.acme.org", "learn.acme.org", True, id="one label"),
        pytest.param("*.acme.org", "studio.learn.acme.org", False, id="two labels"),
        pytest.param("*.acme.org", "acme.org", False, id="no label"),
        pytest.param("*.acme.org", "learn.evilacme.org", False, id="longer domain"),
        pytest.param("*.org", "acme.org", True, id="short"),
    ],
)
def test_a_wildcard_is_for_one_label(name: str, host: str, covered: bool) -> None:
    assert covers(name, host) is covered


def test_without_any_name_no_host_is_checked() -> None:
    """Then only the load balancer knows."""
    assert len(made(["learn.acme.org", "studio.acme.org"])) == 2


@pytest.mark.parametrize(
    "ingress",
    [
        pytest.param({"domains": ["*.acme.org"]}, id="of the load balancer"),
        pytest.param({"certificates": {ARN: ["*.acme.org"]}}, id="of the instance"),
    ],
)
def test_a_host_without_a_certificate_is_refused(ingress: dict[str, Any]) -> None:
    """Browsers would warn of it: Tutor's usual Studio host is one label too deep."""
    message = (
        r"public host 'studio.learn.acme.org': is under no certificate: there are those for "
        r"\*\.acme\.org; add a certificate to AWS_INGRESS.certificates"
    )
    with pytest.raises(ConfigError, match=message):
        made(["learn.acme.org", "studio.learn.acme.org"], **ingress)


def test_the_anchor_brings_certificates_and_routes_nothing() -> None:
    """To the load balancer itself, for the hosts that they are for."""
    *_, anchor = made(
        ["learn.acme.org", "studio.acme.org", "acme.platform.org"],
        domains=["*.platform.org"],
        certificates={ARN: ["learn.acme.org"], OTHER_ARN: ["studio.acme.org"]},
    )
    assert anchor["spec"] == {
        "ingressClassName": "alb",
        "rules": [{"host": "learn.acme.org"}, {"host": "studio.acme.org"}],
    }
    assert anchor["metadata"]["annotations"] == {
        "alb.ingress.kubernetes.io/certificate-arn": f"{ARN},{OTHER_ARN}"
    }


def test_each_load_balancer_has_an_anchor_while_an_instance_moves() -> None:
    """The one that it comes from keeps its anchor's name, and both say the same."""
    names = {"certificates": {ARN: ["learn.acme.org"]}}
    _, old = made(["learn.acme.org"], **names)
    _, *both = made(["learn.acme.org"], **names, load_balancers=["alb", "alb-second"])
    assert both[0] == old
    assert both[1]["metadata"]["name"] == "certificates-alb-second"
    assert both[1]["spec"] == {**old["spec"], "ingressClassName": "alb-second"}
    assert both[1]["metadata"]["annotations"] == old["metadata"]["annotations"]


def test_certificates_for_nothing_need_no_anchor() -> None:
    """A host of the load balancer's own certificate adds none."""
    manifests = made(
        ["a.platform.org"], domains=["*.platform.org"], certificates={ARN: ["learn.acme.org"]}
    )
    assert [manifest["metadata"]["name"] for manifest in manifests] == ["a.platform.org"]


def test_a_certificate_of_another_region_is_refused() -> None:
    """It would stop the controller, for all instances; CloudFront's are always elsewhere."""
    elsewhere = ARN.replace("eu-west-1", "us-east-1")
    read = settings.read(
        {"AWS_REGION": "eu-west-1", "AWS_INGRESS": {"certificates": {elsewhere: ["a.test"]}}}
    )
    with pytest.raises(ConfigError, match="is in us-east-1, but AWS_REGION is eu-west-1"):
        ingresses(read, ["a.test"])
