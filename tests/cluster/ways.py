"""The public ways of instances on a cluster: live objects, real Caddys, stand-ins behind them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from localcluster import binaries
from localcluster.cluster import LocalCluster
from localcluster.model import LOOPBACK
from localservices.caddy import CaddyServer, adapted
from localservices.serving import QuietHandler, serving
from tutorplatform.manifests import Manifest

from demo.tutor import TutorRoot
from demo.view import View
from tests.cluster import walk
from tests.cluster.walk import Request
from tests.render.edx_platform import platform_settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "aws.md"
# In the first of the public subnets; Traefik's requests really come from its address here.
LOAD_BALANCER, TRAEFIK = "10.0.0.17", "127.0.0.4"


@dataclass(frozen=True)
class Answer:
    """A status, who answered, and the headers that came there, in lower case."""

    status: int
    namespace: str = ""
    service: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def chain(self) -> list[str]:
        return self.headers["x-forwarded-for"].split(", ")


@dataclass(frozen=True)
class Ways:
    """From Traefik's entry point on; `caddies` has one for each namespace."""

    ingresses: list[Manifest]
    trusted: list[str]
    caddies: Mapping[str, CaddyServer]

    def ask(self, request: Request) -> Answer:
        """What a browser gets, or whoever asks the load balancer."""
        return self.ask_traefik(walk.by_load_balancer(request, LOAD_BALANCER))

    def ask_traefik(self, request: Request) -> Answer:
        """What the load balancer gets, or whoever finds Traefik's pods."""
        backend = walk.chosen(walk.routes(self.ingresses, "traefik"), request)
        if backend is None:
            return Answer(404)
        return self.ask_caddy(backend.namespace, walk.by_traefik(request, TRAEFIK, self.trusted))

    def ask_caddy(self, namespace: str, request: Request) -> Answer:
        """What Traefik gets. An answer of Caddy's own has no service."""
        connection = HTTPConnection(
            LOOPBACK, self.caddies[namespace].port, timeout=60, source_address=(TRAEFIK, 0)
        )
        try:
            method = "POST" if request.body else "GET"
            headers = {**request.headers, "Host": request.host}
            # Who takes no more of a body answers all the same.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, request.path, request.body, headers)
            response = connection.getresponse()
            text = response.read()
            return Answer(response.status, **(json.loads(text) if text else {}))
        finally:
            connection.close()


@contextmanager
def opened(cluster: LocalCluster, namespaces: list[str], trusted: list[str]) -> Iterator[Ways]:
    """The ways to instances in these namespaces, as the cluster has them now."""
    ingresses = View(cluster).get("ingresses", "--all-namespaces")
    with ExitStack() as stack:
        caddies = {}
        for name in namespaces:
            file = caddyfile(cluster, name)
            upstreams = {
                address: f"{LOOPBACK}:{stack.enter_context(serving(stand_in(name, address)))}"
                for address in dialled(file)
            }
            caddies[name] = stack.enter_context(CaddyServer(file, upstreams))
        yield Ways(ingresses, trusted, caddies)


def caddyfile(cluster: LocalCluster, namespace: str) -> str:
    """What the pods of the Deployment have mounted: of a ConfigMap, or of a Secret."""
    view = View(cluster)
    [deployment] = view.get("deployment", "caddy", f"--namespace={namespace}")
    (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
    if "secret" in volume:
        [secret] = view.get("secret", volume["secret"]["secretName"], f"--namespace={namespace}")
        return b64decode(secret["data"]["Caddyfile"]).decode()
    [found] = view.get("configmap", volume["configMap"]["name"], f"--namespace={namespace}")
    return str(found["data"]["Caddyfile"])


def sites(caddyfile: str) -> set[str]:
    """The hosts that a Caddyfile serves."""
    return set(found(caddyfile, r'"host": \["([^"]+)"\]'))


def dialled(caddyfile: str) -> set[str]:
    """Names and ports of those whom it asks."""
    return set(found(caddyfile, r'"dial": "([^"]+)"'))


def found(caddyfile: str, pattern: str) -> list[str]:
    caddy = binaries.ensure(["caddy"], print)["caddy"]
    return re.findall(pattern, json.dumps(adapted(caddy, caddyfile)))


def stand_in(namespace: str, address: str) -> type[BaseHTTPRequestHandler]:
    """One for a Service's pods: it says who it is and what it was asked."""

    class Handler(QuietHandler, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said: dict[str, Any] = {
                "namespace": namespace,
                "service": address.partition(":")[0],
                "headers": {name.lower(): value for name, value in self.headers.items()},
            }
            # Caddy hangs up when a body turns out to be too large.
            with suppress(ConnectionError):
                self.answer(200, json.dumps(said).encode())

        def do_POST(self) -> None:
            self.do_GET()

    return Handler


def body_limits() -> dict[str, int]:
    """Service → bytes, as the reference has them."""
    [row] = re.findall(r"^\| Caddy \|(?:[^|]*\|){2} ([^|]*)\|", REFERENCE.read_text(), re.MULTILINE)
    services = {"LMS": "lms", "Studio": "cms", "MFEs": "mfe"}
    return {
        services.get(name, name): int(megabytes) * 1_000_000
        for names, megabytes in re.findall(r"(\w+(?: and \w+)?) (\d+) MB", row)
        for name in names.split(" and ")
    }


def seen(root: TutorRoot, answer: Answer) -> str:
    """Whom edx-platform's own code takes the client to be."""
    position = platform_settings(root, "lms")["CLOSEST_CLIENT_IP_FROM_HEADERS"]
    program = [sys.executable, "-m", "tests.localservices.visitor", json.dumps(position)]
    argv = [*program, ", ".join(answer.chain), LOOPBACK]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
