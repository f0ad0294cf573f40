"""Real KEDA: pods follow the queue, requests in flight and traffic; autoscalers change hands."""

from __future__ import annotations

import json
import socket
import threading
import time
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
from localservices.keda import Keda
from localservices.redis import RedisServer
from localservices.serving import QuietHandler, serving
from tutorautoscale.configuration import Cluster
from tutorautoscale.keda import Sources, scaled_object, shared
from tutorautoscale.profile import Network, Profile, Queue, Requests
from tutorautoscale.scalers import OWNER, autoscaler
from tutorplatform.broker import Broker, lists

from demo.tutor import TutorRoot
from tests.conftest import NewRoot
from tests.tutorautoscale.made import WEB, workload

pytestmark = [pytest.mark.cluster, pytest.mark.proof]

NAMESPACE = "signals"
USER, PASSWORD = "acme", "not-in-any-trigger"
# The HPA asks every 15 s, and KEDA has to see its new objects first.
SOON_S = 120
PROFILE = WEB._replace(cpu=WEB.cpu._replace(target=None), min=2, max=6)
# Scaling in waits for five minutes of less; nobody watches that here.
AT_ONCE = {"scaleDown": {"stabilizationWindowSeconds": 0}}


@pytest.fixture(scope="module")
def broker(redis_server: RedisServer) -> Broker:
    """A user who sees its own keys only, as the aws plugin makes them."""
    with client(redis_server) as admin:
        admin.execute_command(
            *("ACL", "SETUSER", USER, "on", f">{PASSWORD}", "~acme:*", "+@all", "-@dangerous")
        )
    return Broker("localhost", redis_server.port, 0, USER, PASSWORD, True, "acme:celery:")


@pytest.fixture(scope="module")
def keda(cluster: LocalCluster, redis_server: RedisServer) -> Iterator[Keda]:
    folder = redis_server.directory / "authorities"
    folder.mkdir(exist_ok=True)
    (folder / "ca.crt").write_bytes(redis_server.authority.read_bytes())
    with Keda(cluster, folder) as running:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        yield running
        cluster.kubectl("delete", "scaledobject", "--all", f"-n{NAMESPACE}", "--timeout=60s")
        cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


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


def test_pods_follow_the_queue_over_all_priorities(
    cluster: LocalCluster, keda: Keda, redis_server: RedisServer, broker: Broker
) -> None:
    """40 tasks at 10 per pod are 4 pods, whatever their priorities; with none left there are 2."""
    profile = PROFILE._replace(queue=Queue(10, ("default",)))
    sources = Sources(NAMESPACE, Cluster(), broker)
    keys = lists(broker, "default")
    with client(redis_server) as admin:
        for key in keys:
            admin.rpush(key, *range(10))
        scaled(cluster, "worker", profile, sources)
        wait_for_pods(cluster, "worker", 4)
        # Beside a formula, KEDA would drop a container's metric.
        kinds = {each["type"] for each in hpas(cluster)[0]["spec"]["metrics"]}
        assert kinds == {"External", "Resource"}
        admin.delete(*keys)
        wait_for_pods(cluster, "worker", 2)
        trigger = cluster.kubectl("get", "scaledobject", "worker", f"-n{NAMESPACE}", "-oyaml")
        assert PASSWORD not in trigger


def test_pods_stay_when_a_source_is_down(cluster: LocalCluster, keda: Keda, broker: Broker) -> None:
    """Five pods stay five pods while nobody says how much traffic there is, and go with it.

    The other signal, of which the formula takes the maximum, asks for none.
    """
    answer = json.dumps(
        {
            "status": "success",
            "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "4600000"]}]},
        }
    ).encode()
    profile = PROFILE._replace(network=Network("1M"), queue=Queue(10, ("idle",)))
    with answering(answer) as (handler, port):
        cluster_has = Cluster(prometheus_url=f"http://{LOOPBACK}:{port}")
        sources = Sources(NAMESPACE, cluster_has, broker)
        scaled(cluster, "web", profile, sources)
        wait_for_pods(cluster, "web", 5)
        handler.body = b""
        wait_for(lambda: falls_back(cluster, "web"), SOON_S, "the fallback is active")
        time.sleep(20)
        assert replicas(cluster, "web") == 5
        handler.body = answer.replace(b"4600000", b"100")
        wait_for_pods(cluster, "web", 2)


def test_pods_follow_the_requests_in_flight(cluster: LocalCluster, keda: Keda) -> None:
    """Those of two hosts add up: 90 at 20 per pod are 5 pods."""
    profile = PROFILE._replace(requests=Requests(20, ("learn.acme.org", "m.acme.org")))
    # No endpoint may have an address of the loopback network.
    address = own_address()
    with answering(in_flight(60, 30), address) as (handler, port):
        apply(cluster, endpoint(address, port))
        sources = Sources(NAMESPACE, Cluster(), Broker("redis", 6379, 0))
        url = f"http://caddy-metrics.{NAMESPACE}.svc:{port}/metrics"
        scaled(cluster, "busy", profile, sources, url=url)
        wait_for_pods(cluster, "busy", 5)
        handler.body = in_flight(1, 0)
        wait_for_pods(cluster, "busy", 2)


def test_autoscalers_change_hands_with_all_pods_there(
    cluster: LocalCluster, keda: Keda, redis_server: RedisServer, broker: Broker
) -> None:
    """From an HPA to a ScaledObject and back: always one autoscaler, and never less than `min`."""
    profile = PROFILE._replace(min=3, queue=Queue(10, ("moving",)))
    found = workload(profile, "moving")
    sources = Sources(NAMESPACE, Cluster(), broker)
    apply(cluster, deployment("moving", replicas=3))
    apply(cluster, autoscaler(found))
    time.sleep(20)
    with watching(cluster, "moving") as seen:
        for each in [*shared([found], sources), scaled_object(found, sources)]:
            apply(cluster, each)
        wait_for(lambda: owners(cluster, "moving") == ["ScaledObject"], SOON_S, "KEDA has it")
        with client(redis_server) as admin:
            admin.rpush(lists(broker, "moving")[1], *range(45))
        wait_for_pods(cluster, "moving", 5)
        cluster.kubectl(*("delete", "scaledobject", "moving", f"-n{NAMESPACE}", "--cascade=orphan"))
        apply(cluster, autoscaler(found))
        wait_for(lambda: owners(cluster, "moving") == [], SOON_S, "the HPA is nobody's")
        time.sleep(35)
    counts = {count for count, _ in seen}
    assert {3, 5} <= counts <= {3, 4, 5}
    assert {scalers for _, scalers in seen} == {1}
    (hpa,) = of(cluster, "moving")
    assert {each["type"] for each in hpa["spec"]["metrics"]} == {"ContainerResource"}


def test_tutor_lets_autoscalers_change_hands(
    cluster: LocalCluster, keda: Keda, new_root: NewRoot
) -> None:
    """Signals on and off again by `config save` and `k8s start`, of a running instance.

    Nothing that they needed is left, and the LMS keeps its pods and its one autoscaler.
    """
    settings = {"K8S_NAMESPACE": "switching", "ENABLE_WEB_PROXY": False, "REDIS_PASSWORD": PASSWORD}
    root = new_root("autoscale", environment=cluster.environment, **settings)
    signals = {"lms": {"requests": {"target": 20}}, "lms-worker": {"queue": {"target": 10}}}
    start(root, {})
    wait_for(lambda: replicas(cluster, "lms", "switching") == 2, SOON_S, "two pods")
    try:
        with watching(cluster, "lms", "switching") as seen:
            start(root, signals)
            taken = ["ScaledObject"]
            wait_for(lambda: owners(cluster, "lms", "switching") == taken, SOON_S, "KEDA has it")
            assert {
                "scaledobject.keda.sh/lms",
                "scaledobject.keda.sh/lms-worker",
                "service/caddy-metrics",
                "triggerauthentication.keda.sh/autoscale-broker",
                "secret/autoscale-broker",
            } <= set(ours(cluster, "switching"))
            start(root, {})
            wait_for(lambda: owners(cluster, "lms", "switching") == [], SOON_S, "it has not")
        assert set(seen) == {(2, 1)}
        kinds = {each.partition("/")[0] for each in ours(cluster, "switching")}
        assert kinds == {"horizontalpodautoscaler.autoscaling", "poddisruptionbudget.policy"}
    finally:
        cluster.kubectl("delete", "scaledobject", "--all", "-nswitching", "--timeout=60s")
        cluster.kubectl("delete", "namespace", "switching", "--wait=false")


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
