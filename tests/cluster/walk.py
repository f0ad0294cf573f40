"""A request's way from the internet to an instance's Caddy, by the objects of a cluster.

Two hops are played here. The load balancer is AWS'. Traefik does not build from Go's module proxy,
since a module that it requires is not there; what it does is written after its source, v3.7:
pkg/provider/kubernetes/ingress/kubernetes.go and pkg/middlewares/forwardedheaders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from tutorplatform.manifests import Manifest

FORWARDED = "x-forwarded-"
# What Traefik removes from requests of strangers, and lets no `Connection` remove.
MANAGED = (FORWARDED, "x-real-ip", "x-scheme")


class Backend(NamedTuple):
    """A Service, and one of its ports by name or number."""

    namespace: str
    service: str
    port: str | int


class Route(NamedTuple):
    """A rule of an Ingress. An empty host is every host."""

    host: str
    path: str
    backend: Backend

    @property
    def rule(self) -> str:
        """As Traefik writes it."""
        path = f'PathPrefix("{self.path}")'
        return f'Host("{self.host}") && {path}' if self.host else path


@dataclass(frozen=True)
class Request:
    """What `sender` asks. Names of headers are in lower case."""

    host: str
    sender: str
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def sent_on(self, sender: str, **headers: str) -> Request:
        """The same request by a proxy, which adds whom it was asked by, and more."""
        chain = [self.headers.get("x-forwarded-for", ""), self.sender]
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        joined = ", ".join(filter(None, chain))
        return replace(
            self, sender=sender, headers={**self.headers, **more, "x-forwarded-for": joined}
        )


def by_load_balancer(request: Request, address: str) -> Request:
    """As an ALB of the chart sends on what it was asked by HTTPS.

    It says scheme and port, whatever the client did, drops names that are no names of headers, with
    `_` among them (`drop_invalid_header_fields`), and leaves all else as it is.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    valid = {n: value for n, value in request.headers.items() if re.fullmatch(r"[a-z0-9-]+", n)}
    return replace(request, headers=valid).sent_on(
        address, x_forwarded_proto="https", x_forwarded_port="443"
    )


def by_traefik(request: Request, address: str, trusted: Iterable[str]) -> Request:
    """As Traefik sends on what its entry point was asked by HTTP.

    It believes forwarded headers of `trusted` ranges only, and adds those that are not there. Names
    with `_` it removes (the chart's `underscoreHeadersStrategy`).
    """
    believes = any(ip_address(request.sender) in ip_network(block) for block in trusted)
    named = {name.strip().lower() for name in request.headers.get("connection", "").split(",")}
    kept = {
        name: value
        for name, value in request.headers.items()
        if "_" not in name
        and (believes if name.startswith(MANAGED) else name not in named | {"connection"})
    }
    scheme = kept.get("x-forwarded-proto", "http")
    added = {
        "x-real-ip": request.sender,
        "x-forwarded-proto": scheme,
        "x-forwarded-port": "443" if scheme == "https" else "80",
        "x-forwarded-host": request.host,
    }
    return replace(request, headers={**added, **kept}).sent_on(
        address, x_forwarded_server="traefik"
    )


def routes(ingresses: Iterable[Manifest], class_name: str) -> Iterator[Route]:
    """Those of a class. Rules without `http` are none."""
    for each in ingresses:
        if each["spec"].get("ingressClassName") == class_name:
            for rule in each["spec"].get("rules", []):
                for path in rule.get("http", {}).get("paths", []):
                    yield Route(rule.get("host", ""), path["path"], backend(each, path["backend"]))


def chosen(routes: Iterable[Route], request: Request) -> Backend | None:
    """Where Traefik sends a request: of the rules that match it, the longest.

    None is Traefik's own 404.
    """
    found = [
        route
        for route in routes
        if route.host in ("", request.host) and request.path.startswith(route.path)
    ]
    return max(found, key=lambda each: len(each.rule)).backend if found else None


def backend(ingress: Manifest, named: Mapping[str, Any]) -> Backend:
    """A backend of an Ingress, which is always in its own namespace."""
    port = named["service"]["port"]
    return Backend(
        ingress["metadata"]["namespace"],
        named["service"]["name"],
        port.get("name") or port["number"],
    )


def endpoints(slices: Iterable[Manifest], wanted: Backend) -> list[str]:
    """The pods that answer for a Service now, at a port of a name, or of a number on the pods."""
    return [
        endpoint["targetRef"]["name"]
        for each in slices
        if each["metadata"]["namespace"] == wanted.namespace
        and each["metadata"]["labels"]["kubernetes.io/service-name"] == wanted.service
        for endpoint in each["endpoints"]
        if endpoint["conditions"]["ready"]
        for port in each["ports"]
        if wanted.port in (port["name"], port["port"])
    ]
