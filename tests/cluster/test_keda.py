"""Real KEDA: pods follow the queue, requests in flight and traffic; autoscalers change hands."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from localcluster.cluster import LocalCluster
from localcluster.model import LOOPBACK
from localcluster.processes import wait_for
from localservices.keda import Keda
from localservices.redis import RedisServer
from tutorautoscale.configuration import Cluster
from tutorautoscale.keda import Sources, scaled_object, shared
from tutorautoscale.profile import Network, Queue, Requests
from tutorautoscale.scalers import autoscaler
from tutorplatform.broker import Broker, lists

from tests.cluster.signals import (
    NAMESPACE,
    SOON_S,
    answering,
    apply,
    client,
    deployment,
    endpoint,
    falls_back,
    hpas,
    in_flight,
    of,
    ours,
    own_address,
    owners,
    replicas,
    scaled,
    start,
    wait_for_pods,
    watching,
)
from tests.conftest import NewRoot
from tests.tutorautoscale.made import WEB, workload

pytestmark = [pytest.mark.cluster, pytest.mark.proof]

USER, PASSWORD = "acme", "not-in-any-trigger"
PROFILE = WEB._replace(cpu=WEB.cpu._replace(target=None), min=2, max=6)


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


OF_SIGNALS = {
    "scaledobject.keda.sh/lms",
    "scaledobject.keda.sh/lms-worker",
    "service/caddy-metrics",
    "triggerauthentication.keda.sh/autoscale-broker",
    "secret/autoscale-broker",
}


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
            assert set(ours(cluster, "switching")) >= OF_SIGNALS
            start(root, {})
            wait_for(lambda: owners(cluster, "lms", "switching") == [], SOON_S, "it has not")
        assert set(seen) == {(2, 1)}
        kinds = {each.partition("/")[0] for each in ours(cluster, "switching")}
        assert kinds == {"horizontalpodautoscaler.autoscaling", "poddisruptionbudget.policy"}
    finally:
        cluster.kubectl("delete", "scaledobject", "--all", "-nswitching", "--timeout=60s")
        cluster.kubectl("delete", "namespace", "switching", "--wait=false")
