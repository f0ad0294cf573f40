"""What KEDA reads at Caddy's metrics listener: requests in flight, as the plugin renders it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest
import yaml
from localcluster.model import LOOPBACK
from localcluster.processes import wait_for
from localservices.caddy import CaddyServer
from localservices.serving import QuietHandler, serving

from tests.conftest import NewRoot

pytestmark = pytest.mark.services

SERVICES = {"lms": {"requests": {"target": 20}}}
LMS, CMS = "learn.acme.test", "studio.learn.acme.test"


@contextmanager
def slow_upstream(released: threading.Event) -> Iterator[int]:
    class Handler(QuietHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            released.wait(30)
            self.answer(200, b"{}")

    with serving(Handler) as port:
        yield port


def body(port: int, host: str, path: str = "/") -> bytes:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    connection.request("GET", path, headers={"Host": host})
    return connection.getresponse().read()


def in_flight(caddy: CaddyServer, location: str) -> int | None:
    """What KEDA finds there: the value of the one line with these labels."""
    lines = body(caddy.metrics_port, LOOPBACK, "/metrics").decode().splitlines()
    name, _, wanted = location.rstrip("}").partition("{")
    found = [
        line.rpartition(" ")[2]
        for line in lines
        if line.startswith(f"{name}{{")
        and set(wanted.split(",")) <= set(line.partition("{")[2].partition("}")[0].split(","))
    ]
    assert len(found) <= 1
    return int(found[0]) if found else None


def test_requests_in_flight_are_told_by_host(new_root: NewRoot) -> None:
    """Three that wait for the LMS are three, however many Studio has; none are left afterwards."""
    root = new_root("autoscale", AUTOSCALE_SERVICES=SERVICES)
    root.run("config", "save")
    file = root.path / "env" / "k8s" / "services.yml"
    objects = list(yaml.safe_load_all(file.read_text()))
    (trigger,) = (
        each
        for made in objects
        if made["kind"] == "ScaledObject"
        for each in made["spec"]["triggers"]
        if each["type"] == "metrics-api"
    )
    location = trigger["metadata"]["valueLocation"]
    caddyfile = (root.path / "env" / "apps" / "caddy" / "Caddyfile").read_text()
    released = threading.Event()
    with slow_upstream(released) as port:
        upstreams = dict.fromkeys(("lms:8000", "cms:8000"), f"{LOOPBACK}:{port}")
        with CaddyServer(caddyfile, upstreams) as caddy:
            hosts = [LMS] * 3 + [CMS] * 2
            threads = [threading.Thread(target=body, args=(caddy.port, host)) for host in hosts]
            for thread in threads:
                thread.start()
            wait_for(lambda: in_flight(caddy, location) == 3, 10, "three requests wait")
            released.set()
            for thread in threads:
                thread.join()
            assert in_flight(caddy, location) == 0
            # Nothing else is served there, and not to whom the sites are.
            assert body(caddy.metrics_port, LOOPBACK, "/config/") == b""
            assert body(caddy.port, LMS, "/metrics") == b"{}"


def test_without_such_a_target_caddy_counts_nothing(new_root: NewRoot) -> None:
    """No listener, no metrics: they cost memory for each host."""
    root = new_root("autoscale")
    root.run("config", "save")
    caddyfile = (root.path / "env" / "apps" / "caddy" / "Caddyfile").read_text()
    assert "9180" not in caddyfile
    assert "per_host" not in caddyfile
