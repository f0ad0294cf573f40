"""Which Ingress objects an instance has, and whether each of its hosts has a certificate.

Requests come from the load balancer through the ingress controller to Caddy:
docs/decisions/0015-what-a-proxy-may-say-of-a-client.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tutorplatform.errors import ConfigError
from tutorplatform.manifests import Manifest

from tutoraws import settings as aws

HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)

CERTIFICATES = "alb.ingress.kubernetes.io/certificate-arn"

# IngressClass name → what its controller has to be told; those that are missing need nothing.
# Caddy has limits of its own, per host; a course is sent in parts, but other files are not.
# https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
ANNOTATIONS: Mapping[str, Mapping[str, str]] = {
    "nginx": {
        "nginx.ingress.kubernetes.io/proxy-body-size": "0",
        "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
        "nginx.ingress.kubernetes.io/proxy-read-timeout": str(aws.REQUEST_S + 10),
        "nginx.ingress.kubernetes.io/proxy-send-timeout": str(aws.REQUEST_S + 10),
    },
}


def ingresses(settings: aws.Settings, hosts: Iterable[str]) -> list[Manifest]:
    """One for each host, and for certificates of the instance's own one for each load balancer.

    ConfigError for a host that Kubernetes would refuse, and for one without a certificate.
    """
    listed = list(hosts)
    _require_region(settings)
    for host in listed:
        _require_host_name(host)
        _require_certificate(host, settings.ingress)
    return [*(_ingress(host, settings.ingress) for host in listed), *_anchors(settings, listed)]


def covers(name: str, host: str) -> bool:
    """Whether a certificate for `name` is one for `host`. `*` stands for exactly one label.

    https://www.rfc-editor.org/rfc/rfc6125#section-6.4.3
    """
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return host == name


def _require_region(settings: aws.Settings) -> None:
    """The controller would make no change for anybody any more, if one certificate is not there."""
    for arn in settings.ingress.certificates:
        region = arn.split(":")[3]
        if region and settings.region and region != settings.region:
            raise ConfigError(
                "AWS_INGRESS.certificates",
                f"{arn} is in {region}, but AWS_REGION is {settings.region}, and a load balancer "
                "takes those of its own region only",
                "request one there; the one in us-east-1 is for CloudFront",
            )


def _require_host_name(host: str) -> None:
    if not HOST_NAME.fullmatch(host):
        raise ConfigError(
            f"public host {host!r}",
            "is not a host name",
            "correct LMS_HOST, or the setting that it comes from",
        )


def _require_certificate(host: str, ingress: aws.Ingress) -> None:
    names = [*ingress.domains, *(n for listed in ingress.certificates.values() for n in listed)]
    if names and not any(covers(name, host) for name in names):
        raise ConfigError(
            f"public host {host!r}",
            f"is under no certificate: there are those for {', '.join(names)}",
            "add a certificate to AWS_INGRESS.certificates, or a name that the load balancer's own "
            "one has to AWS_INGRESS.domains; or choose another host",
        )


def _ingress(host: str, ingress: aws.Ingress) -> Manifest:
    """Everything that is asked of `host` goes to Caddy, which knows what serves it.

    The host is the object's name too.
    """
    backend = {"service": {"name": "caddy", "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    annotations = {**ANNOTATIONS.get(ingress.class_name, {}), **ingress.annotations}
    return _object(
        host,
        annotations,
        ingress.class_name,
        [{"host": host, "http": {"paths": [path]}}],
    )


def _anchors(settings: aws.Settings, hosts: Iterable[str]) -> list[Manifest]:
    """What brings the instance's certificates to each load balancer, and routes nothing.

    The controller of the instance's other Ingress objects ignores these classes.

    Rules without paths add none to the load balancer, which has a limited number of them.
    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/cert_discovery/
    """
    certificates = settings.ingress.certificates
    names = [name for listed in certificates.values() for name in listed]
    rules = [{"host": host} for host in hosts if any(covers(name, host) for name in names)]
    if not rules:
        return []
    annotations = {CERTIFICATES: ",".join(certificates)}
    usual, *_ = aws.Ingress().load_balancers
    return [
        _object(
            "certificates" if each == usual else f"certificates-{each}", annotations, each, rules
        )
        for each in settings.ingress.load_balancers
    ]


def _object(
    name: str, annotations: Mapping[str, str], class_name: str, rules: list[dict[str, Any]]
) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": "caddy"},
            **({"annotations": dict(annotations)} if annotations else {}),
        },
        "spec": {"ingressClassName": class_name, "rules": rules},
    }
