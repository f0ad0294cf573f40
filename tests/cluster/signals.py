"""Workloads that KEDA scales, what they ask, and what is seen of them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import psutil
import pytest
import redis
from localcluster.cluster import LocalCluster
from localcluster.model import LOOPBACK
from localcluster.processes import wait_for
from localservices.redis import RedisServer
from localservices.serving import QuietHandler, serving
from tutorautoscale.keda import Sources, scaled_object, shared
from tutorautoscale.profile import Profile
from tutorautoscale.scalers import OWNER

from demo.tutor import TutorRoot
from tests.tutorautoscale.made import workload

NAMESPACE = "signals"
# The HPA asks every 15 s, and KEDA has to see its new objects first.
SOON_S = 120
# Scaling in waits for five minutes of less; nobody watches that here.
AT_ONCE = {"scaleDown": {"stabilizationWindowSeconds": 0}}


def client(server: RedisServer) -> redis.Redis:
    return redis.Redis(
        host=LOOPBACK, port=server.port, ssl=True, ssl_ca_certs=str(server.authority)
    )


def deployment(name: str, replicas: int = 2) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name}
    container = {
        "name": name,
        "image": "web",
        "resources": {"requests": {"cpu": "10m", "memory": "128Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def scaled(
    cluster: LocalCluster, name: str, profile: Profile, sources: Sources, **metadata: str
) -> None:
    """Apply what the plugin renders for a workload of this name, and the workload itself.

    `metadata` goes over that of its triggers.
    """
    found = workload(profile, name)
    made = scaled_object(found, sources)
    behavior = made["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
    behavior["behavior"] = {**behavior["behavior"], **AT_ONCE}
    for trigger in made["spec"]["triggers"]:
        if trigger["type"] not in ("cpu", "memory"):
            trigger["metadata"].update(metadata)
    apply(cluster, deployment(name))
    for each in [*shared([found], sources), made]:
        if each["kind"] != "Service":
            apply(cluster, each)


def apply(cluster: LocalCluster, manifest: dict[str, Any]) -> None:
    file = cluster.home / "manifest.json"
    file.write_text(json.dumps(manifest))
    cluster.kubectl("apply", f"-n{NAMESPACE}", f"-f{file}")


def replicas(cluster: LocalCluster, name: str, namespace: str = NAMESPACE) -> int:
    path = "-ojsonpath={.spec.replicas}"
    return int(cluster.kubectl("get", "deployment", name, f"-n{namespace}", path))


def wait_for_pods(cluster: LocalCluster, name: str, count: int, timeout_s: float = SOON_S) -> None:
    wait_for(lambda: replicas(cluster, name) == count, timeout_s, f"{name} has {count} pods")


def hpas(cluster: LocalCluster, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(
        cluster.kubectl("get", "hpa", f"-n{namespace}", "-ojson")
    )["items"]
    return items


class Answer(QuietHandler, BaseHTTPRequestHandler):
    """Answers any path with `body`; 503 without one."""

    body = b""

    def do_GET(self) -> None:
        self.answer(200 if self.body else 503, self.body, "text/plain; version=0.0.4")


@contextmanager
def answering(body: bytes, address: str = LOOPBACK) -> Iterator[tuple[type[Answer], int]]:
    handler = type("Handler", (Answer,), {"body": body})
    with serving(handler, address=address) as port:
        yield handler, port


def start(root: TutorRoot, services: dict[str, Any]) -> None:
    """As an operator does who has edited the settings."""
    root.run("config", "save", "--set", f"AUTOSCALE_SERVICES={json.dumps(services)}")
    root.run("k8s", "start")


def ours(cluster: LocalCluster, namespace: str) -> list[str]:
    """All that the plugin has made there, as `kind/name`."""
    kinds = (
        *("hpa", "pdb", "service", "secret", "networkpolicy"),
        *("scaledobject", "triggerauthentication"),
    )
    selector = ",".join(f"{key}={value}" for key, value in OWNER.items())
    listed = cluster.kubectl(
        *("get", ",".join(kinds), f"-n{namespace}", f"--selector={selector}", "--output=name")
    )
    return listed.split()


@contextmanager
def watching(
    cluster: LocalCluster, name: str, namespace: str = NAMESPACE
) -> Iterator[list[tuple[int, int]]]:
    """Pods that are wanted, and autoscalers, as they are seen a few times a second."""
    seen: list[tuple[int, int]] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            pods = replicas(cluster, name, namespace)
            seen.append((pods, len(of(cluster, name, namespace))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield seen
    assert thread.is_alive()
    ended.set()
    thread.join()


def of(cluster: LocalCluster, name: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    found = hpas(cluster, namespace)
    return [each for each in found if each["spec"]["scaleTargetRef"]["name"] == name]


def owners(cluster: LocalCluster, name: str, namespace: str = NAMESPACE) -> list[str]:
    references = [
        each["metadata"].get("ownerReferences", []) for each in of(cluster, name, namespace)
    ]
    return [owner["kind"] for each in references for owner in each]


def in_flight(*counts: int) -> bytes:
    """What Caddy says of so many requests to the LMS and to its mobile host."""
    hosts = ("learn.acme.org", "m.acme.org")
    lines = [
        f'caddy_http_requests_in_flight{{handler="subroute",host="{host}",server="srv0"}} {count}'
        for host, count in zip(hosts, counts, strict=True)
    ]
    return "\n".join(["# TYPE caddy_http_requests_in_flight gauge", *lines, ""]).encode()


def own_address() -> str:
    """An address of this machine outside of the loopback network."""
    found = (
        each.address
        for name, addresses in psutil.net_if_addrs().items()
        for each in addresses
        if each.family == socket.AF_INET and name != "lo"
    )
    address = next(found, None)
    if address is None:
        pytest.skip("this machine has no address but its loopback")
    return address


def endpoint(address: str, port: int) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "caddy-metrics",
            "labels": {"kubernetes.io/service-name": "caddy-metrics"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "metrics", "port": port}],
    }


def falls_back(cluster: LocalCluster, name: str) -> bool:
    path = '-ojsonpath={.status.conditions[?(@.type=="Fallback")].status}'
    return cluster.kubectl("get", "scaledobject", name, f"-n{NAMESPACE}", path) == "True"
